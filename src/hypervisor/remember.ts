/**
 * Readers that remember. A host is asked the same questions again and again and mostly gives the same text:
 * of a look at a host hardly anything changed since the one before, and parsing was most of what a look cost
 * this side (`npm run bench -- campaign`). For readers whose result nobody changes.
 */

/** The devices of some dozen hosts; a text with its reading takes some KiB. */
const TEXTS_MAX = 4096;
/** So many characters, spread over a text, tell most texts apart; all of them are compared in any case. */
const PROBES = 48;

interface Known<T> {
  readonly text: string;
  readonly value: T;
}

/**
 * `read`, called once for each text it got lately; of at most `textsMax` texts, those not seen for longest
 * are forgotten, half of them at a time. What it throws is not remembered. Not a map by text: hashing all of
 * a text costs several times what comparing it does.
 */
export function remembering<T>(read: (text: string) => T, textsMax = TEXTS_MAX): (text: string) => T {
  let recent = new Map<number, Known<T>[]>();
  let older = new Map<number, Known<T>[]>();
  let count = 0;
  return (text) => {
    const probe = probeOf(text);
    const alike = recent.get(probe);
    const seen = findText(alike, text);
    if (seen) return seen.value;
    const known = findText(older.get(probe), text) ?? { text, value: read(text) };
    if (alike) alike.push(known);
    else recent.set(probe, [known]);
    count += 1;
    if (count < textsMax / 2) return known.value;
    older = recent;
    recent = new Map();
    count = 0;
    return known.value;
  };
}

function findText<T>(alike: readonly Known<T>[] | undefined, text: string): Known<T> | undefined {
  return alike?.find((each) => each.text === text);
}

function probeOf(text: string): number {
  const step = Math.max(1, Math.floor(text.length / PROBES));
  let probe = text.length;
  for (let at = text.length - 1; at >= 0; at -= step)
    probe = (Math.imul(probe, 31) + text.charCodeAt(at)) | 0;
  return probe;
}
