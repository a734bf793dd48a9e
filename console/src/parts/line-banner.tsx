/** Says that the line to the engine is broken, and how old what is shown is. Goes by itself. */
import { Banner } from '@patternfly/react-core';
import { clockText } from './time-texts.ts';
import { useLineState } from './use-line.ts';

/** The banner; nothing while all is well. Its live region is always there, or it would not be read out. */
export function LineBanner() {
  const line = useLineState();
  return (
    <div role="status" className="line-banner">
      {line.kind === 'reconnecting' && (
        <Banner status="warning" screenReaderText="Warning:">
          Connection to the engine lost, reconnecting; what you see is from {clockText(line.sinceMs)}.
        </Banner>
      )}
    </div>
  );
}
