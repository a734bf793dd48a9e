/**
 * The source files of this repository, and one of them split into code, comments and texts: what the tidy and
 * layer rules look at. A rule about code must not be tripped by a comment, and the other way round.
 * Callers: the checks in this folder only.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import ts from 'typescript';

/**
 * One source file. The three masks are as long as `text`, line for line, with all that is not theirs blanked
 * out.
 */
export interface SourceFile {
  /** From the repository's root, with slashes. */
  readonly path: string;
  readonly text: string;
  readonly ast: ts.SourceFile;
  readonly code: string;
  readonly comments: string;
  /** Contents of string and template literals. */
  readonly strings: string;
}

/**
 * Files of the checkout whose path ends in one of `endings`: those git tracks and new ones it does not
 * ignore. Throws if git cannot be run in `root`.
 */
export function listFiles(root: string, endings: readonly string[]): string[] {
  const git = (...args: string[]): string[] => {
    // Run by root, the checkout may belong to somebody else.
    const command = ['-c', `safe.directory=${root}`, 'ls-files', '-z', ...args];
    const answer = spawnSync('git', command, { cwd: root, encoding: 'utf8' });
    if (answer.status !== 0)
      throw new Error(`git ls-files failed: ${answer.stderr || answer.error?.message}`);
    return answer.stdout.split('\0').filter((path) => path !== '');
  };
  const deleted = new Set(git('--deleted'));
  return git('--cached', '--others', '--exclude-standard', '--deduplicate')
    .filter((path) => endings.some((ending) => path.endsWith(ending)) && !deleted.has(path))
    .sort();
}

/** Reads and splits one file of the checkout. */
export function readSource(root: string, path: string): SourceFile {
  return splitSource(path, readFileSync(`${root}/${path}`, 'utf8'));
}

/**
 * Splits the text of a TypeScript or JavaScript file; a shell script is not split: all of it counts as code.
 */
export function splitSource(path: string, text: string): SourceFile {
  const ast = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  if (path.endsWith('.sh')) return { path, text, ast, code: text, comments: text, strings: '' };
  const code = new Mask(text);
  const comments = new Mask(text);
  const strings = new Mask(text);
  const visit = (node: ts.Node): void => {
    if (ts.isJSDoc(node)) return;
    const parts = node.getChildren(ast);
    if (parts.length > 0) {
      parts.forEach(visit);
      return;
    }
    comments.show(node.getFullStart(), node.getStart(ast));
    (isLiteral(node.kind) ? strings : code).show(node.getStart(ast), node.getEnd());
  };
  visit(ast);
  return {
    path,
    text,
    ast,
    code: code.toString(),
    comments: comments.toString(),
    strings: strings.toString(),
  };
}

/** The line, from 1, of an offset in `text`. */
export function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

/** Tests and what only tests use. */
export function isTestFile(path: string): boolean {
  return path.endsWith('.test.ts');
}

function isLiteral(kind: ts.SyntaxKind): boolean {
  return (
    kind === ts.SyntaxKind.StringLiteral ||
    kind === ts.SyntaxKind.NoSubstitutionTemplateLiteral ||
    kind === ts.SyntaxKind.TemplateHead ||
    kind === ts.SyntaxKind.TemplateMiddle ||
    kind === ts.SyntaxKind.TemplateTail ||
    kind === ts.SyntaxKind.RegularExpressionLiteral ||
    kind === ts.SyntaxKind.JsxText
  );
}

/** A text of which only chosen ranges are visible. */
class Mask {
  readonly #text: string;
  readonly #ranges: (readonly [number, number])[] = [];

  constructor(text: string) {
    this.#text = text;
  }

  show(start: number, end: number): void {
    if (end > start) this.#ranges.push([start, end]);
  }

  toString(): string {
    let shown = '';
    for (const [start, end] of this.#ranges) {
      if (start > shown.length) shown += blank(this.#text.slice(shown.length, start));
      shown += this.#text.slice(start, end);
    }
    return shown + blank(this.#text.slice(shown.length));
  }
}

function blank(text: string): string {
  return text.replace(/[^\n]/g, ' ');
}
