/** What the grammar of every command is made of: how its action runs, and how its options are read. */
import { type Command, InvalidArgumentError } from 'commander';
import type { Client } from './client.ts';
import type { OutputFormat } from './output.ts';

/** Options before or after any command. */
export interface GlobalOptions {
  readonly url?: string;
  readonly caFile?: string;
  readonly output: OutputFormat;
}

/** An action that needs a signed-on client. */
type Run = (client: Client, format: OutputFormat) => Promise<void>;

/** Runs an action against the engine that the command line names. */
export async function run(command: Command, action: Run): Promise<void> {
  const { output, ...engine } = command.optsWithGlobals<GlobalOptions>();
  const { Client: Opened } = await import('./client.ts');
  await action(Opened.open(engine), output);
}

/** A whole number from `least` on, for options. */
export const wholeNumber =
  (least: number) =>
  (text: string): number => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < least) {
      throw new InvalidArgumentError(`It must be a whole number, at least ${least}.`);
    }
    return value;
  };
/** A whole number, or `none` to take the value away. */
export const numberOrNone = (text: string): number | 'none' =>
  text === 'none' ? 'none' : wholeNumber(0)(text);
/** A number of seconds, more than none. */
export const seconds = (text: string): number => {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0)
    throw new InvalidArgumentError('It must be a number of seconds.');
  return value;
};
/** `yes` or `no`. */
export const yesOrNo = (text: string): boolean => {
  if (text === 'yes' || text === 'no') return text === 'yes';
  throw new InvalidArgumentError('It must be yes or no.');
};
