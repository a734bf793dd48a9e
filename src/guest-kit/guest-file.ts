/** A file of a guest, and how a shell script writes it. Callers: the texts beside this file. */

/** Ends a file in a script; no line of a file is like it. */
const END = 'END_OF_FILE';

/** A text file of a guest. */
export interface GuestFile {
  /** Absolute. */
  readonly path: string;
  /** Octal, `644`. */
  readonly mode: string;
  /** Ends with a line end. */
  readonly content: string;
}

/** Shell commands that write the files. */
export const fileCommands = (files: readonly GuestFile[]): string =>
  files
    .map(
      ({ path, mode, content }) =>
        `\nmkdir -p ${path.replace(/\/[^/]*$/, '')}\ncat >${path} ${hereDocument(content)}\n` +
        `chmod ${mode} ${path}\n`,
    )
    .join('');

/** A content as standard input of a command, nothing in it replaced by the shell. */
export const hereDocument = (content: string): string => `<<'${END}'\n${content}${END}`;
