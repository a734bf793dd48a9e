/**
 * Wraps comment lines that are too long, as the formatter does for code. Moves the words that do not fit to
 * the next line of the same paragraph; leaves every line that fits as it is.
 * Callers: `format.ts`.
 */
import { splitSource } from './source-file.ts';

/** A line of a block comment, or a line comment that stands alone. */
const COMMENT_LINE = /^(\s*)(\*|\/\/|#)( +)(\S.*)$/;
/** Lines that begin a paragraph of their own. */
const PARAGRAPH = /^([-*|@`]|\d+\.|[A-Z]\w+: )/;

/** The text with its comment lines at most `columns` wide, where a word allows it. */
export function wrapComments(path: string, text: string, columns: number): string {
  const { code, strings } = path.endsWith('.sh') ? { code: '', strings: '' } : splitSource(path, text);
  const codeLines = code.split('\n');
  const stringLines = strings.split('\n');
  const queue = text.split('\n').map((line, index) => ({
    line,
    isComment: isBlank(codeLines[index]) && isBlank(stringLines[index]),
  }));
  const wrapped: string[] = [];
  for (let next = queue.shift(); next; next = queue.shift()) {
    const { line, isComment } = next;
    if (!isComment || line.length <= columns) {
      wrapped.push(line);
      continue;
    }
    const parts = openBlock(line) ?? splitLine(line, columns, queue[0]?.line);
    if (!parts) {
      wrapped.push(line);
      continue;
    }
    if (parts.joinsNext) queue.shift();
    wrapped.push(...parts.done);
    queue.unshift(...parts.rest.map((rest) => ({ line: rest, isComment: true })));
  }
  return wrapped.join('\n');
}

interface Parts {
  /** Lines that are finished. */
  readonly done: readonly string[];
  /** Lines still to look at. */
  readonly rest: readonly string[];
  /** `rest` contains the text of the following line. */
  readonly joinsNext: boolean;
}

/** A block that begins, or begins and ends, on the line: its text gets lines of its own. */
function openBlock(line: string): Parts | null {
  const match = /^(\s*)\/\*\* (.*?)(\s*\*\/)?$/.exec(line);
  if (!match) return null;
  const [, indent = '', text = '', end] = match;
  const rest = [`${indent} * ${text}`, ...(end === undefined ? [] : [`${indent} */`])];
  return { done: [`${indent}/**`], rest, joinsNext: false };
}

function splitLine(line: string, columns: number, next: string | undefined): Parts | null {
  const match = COMMENT_LINE.exec(line);
  if (!match) return null;
  const [, indent = '', marker = '', gap = '', text = ''] = match;
  if (isLaidOut(text)) return null;
  const prefix = `${indent}${marker}${gap}`;
  const at = line.lastIndexOf(' ', columns);
  if (at < prefix.length) return null;
  const overflow = line.slice(at + 1);
  const hanging = /^(- |\d+\. )/.exec(text)?.[0].length ?? 0;
  const lead = `${prefix}${' '.repeat(hanging)}`;
  const done = [line.slice(0, at).trimEnd()];
  const following = next === undefined ? null : COMMENT_LINE.exec(next);
  const joinsNext =
    following !== null &&
    !isLaidOut(following[4] ?? '') &&
    `${following[1]}${following[2]}${following[3]}` === lead &&
    !PARAGRAPH.test(following[4] ?? '');
  return { done, rest: [`${lead}${overflow}${joinsNext ? ` ${following[4]}` : ''}`], joinsNext };
}

/** Tables and columns: their spaces mean something. */
function isLaidOut(text: string): boolean {
  return text.startsWith('|') || /\S {2,}\S/.test(text);
}

function isBlank(line: string | undefined): boolean {
  return line === undefined || line.trim() === '';
}
