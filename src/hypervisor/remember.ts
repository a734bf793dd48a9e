/**
 * Readers that remember. A host is asked the same questions again and again and mostly gives the same text:
 * of a look at a host hardly anything changed since the one before, and parsing was most of what a look cost
 * this side (`npm run bench -- campaign`). For readers whose result nobody changes.
 */

/** A text with its reading takes some KiB, and there are a dozen readers. */
const TEXTS_MAX = 512;

/**
 * `read`, called once for each text it got lately; of at most `textsMax` texts, those not seen for longest
 * are forgotten, half of them at a time. What it throws is not remembered.
 */
export function remembering<T>(read: (text: string) => T, textsMax = TEXTS_MAX): (text: string) => T {
  let recent = new Map<string, { readonly value: T }>();
  let older = new Map<string, { readonly value: T }>();
  return (text) => {
    const seen = recent.get(text);
    if (seen) return seen.value;
    const known = older.get(text) ?? { value: read(text) };
    recent.set(text, known);
    if (recent.size >= textsMax / 2) {
      older = recent;
      recent = new Map();
    }
    return known.value;
  };
}
