/** The file of hooks: what is read from it, and what is said of a wrong one. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { silentLog } from '../base/log.ts';
import { readConfig } from './config.ts';
import { startEngine } from './engine.ts';
import { readHooks } from './hooks-file.ts';

let folder: string;
let file: string;
let drain: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'handover-hooks-'));
  file = join(folder, 'hooks.json');
  drain = join(folder, 'drain');
  writeFileSync(drain, '#!/bin/sh\n');
  chmodSync(drain, 0o755);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const good = (change: object = {}) => ({
  name: 'drain',
  point: 'before-unplug',
  run: drain,
  onFailure: 'stop',
  ...change,
});
const posts = (url: unknown) => good({ run: undefined, url });

/** What is said of a file with this in it. */
function saidOf(content: unknown): string {
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  try {
    readHooks(file);
  } catch (thrown) {
    expect(thrown).toMatchObject({ code: 'INVALID_INPUT' });
    return (thrown as Error).message;
  }
  return 'nothing';
}

test('hooks are read in the order of the file', () => {
  const hooks = [good(), good({ name: 'net.2', point: 'after-plug', onFailure: 'warn', limitSeconds: 2.5 })];
  writeFileSync(file, JSON.stringify([...hooks, { ...posts('https://u:p@h/x?t=1'), name: 'third' }]));
  expect(readHooks(file)).toMatchObject([
    { name: 'drain', point: 'before-unplug', onFailure: 'stop' },
    { name: 'net.2', point: 'after-plug', onFailure: 'warn' },
    { name: 'third', point: 'before-unplug' },
  ]);
});

test('an empty list is no hook', () => {
  expect(saidOf([])).toBe('nothing');
});

const WRONG: [what: string, entry: () => unknown, said: RegExp][] = [
  ['no name', () => good({ name: undefined }), /hook 1 has no usable name; use 1 to 64/],
  ['a name with a line end', () => good({ name: 'a\nb' }), /hook 1 has no usable name/],
  ['no object', () => 'drain', /hook 1 is no object; write/],
  ['null', () => null, /hook 1 is no object/],
  [
    'an unknown point',
    () => good({ point: 'before-lunch' }),
    /hook "drain" has no valid point; use before-unplug, /,
  ],
  [
    'no onFailure',
    () => good({ onFailure: undefined }),
    /hook "drain" has no valid onFailure; use stop or warn/,
  ],
  [
    'stop after the pivot',
    () => good({ point: 'before-plug' }),
    /"drain" has onFailure stop at before-plug, but then the VM runs on the target already.*use warn, or/,
  ],
  ['stop after the transfer', () => good({ point: 'after-transfer' }), /nothing can be stopped; use warn/],
  ['stop after the plug', () => good({ point: 'after-plug' }), /nothing can be stopped; use warn/],
  ['no limit', () => good({ limitSeconds: 0 }), /limitSeconds that is none; use a number from 0.1 to 300/],
  ['too long a limit', () => good({ limitSeconds: 301 }), /limitSeconds that is none/],
  ['a limit in words', () => good({ limitSeconds: '30' }), /limitSeconds that is none/],
  ['neither run nor url', () => good({ run: undefined }), /"drain" needs either run or url: an executable/],
  ['both', () => good({ url: 'http://h/' }), /"drain" needs either run or url/],
  ['a relative path', () => good({ run: 'drain' }), /run that is no absolute path; name the file from/],
  ['arguments', () => good({ run: `${drain} --now` }), /which cannot be executed \(ENOENT\); create it/],
  ['a folder', () => good({ run: folder }), /which is no file; name an executable file/],
  [
    'an unknown field',
    () => good({ limitSecond: 3 }),
    /"drain" has the unknown field "limitSecond"; remove it, or use name, /,
  ],
  ['another protocol', () => posts('ftp://h/s3cret'), /"drain" has a url that is none; use http:/],
  ['no address', () => posts('http://s3cret:s3cret:/'), /"drain" has a url that is none/],
  [
    'credentials that are wrongly escaped',
    () => posts('http://s3cret%zz@h/'),
    /"drain" has a url that is none/,
  ],
  ['a url that is no text', () => posts(7), /"drain" has a url that is none/],
];
test.each(WRONG)('%s is refused, and it says what to do', (_, entry, said) => {
  const message = saidOf([entry()]);
  expect(message).toMatch(said);
  expect(message).not.toMatch(/s3cret/);
});

test('a file that may not be executed is refused', () => {
  chmodSync(drain, 0o644);
  expect(saidOf([good()])).toMatch(
    /hook "drain" runs .*drain, which cannot be executed \(EACCES\).*chmod \+x/,
  );
});

test('all that is wrong is said at once, each with its hook', () => {
  const lines = saidOf([good({ point: 1, onFailure: 2 }), good(), good(), 3]).split('\n');
  expect(lines).toEqual([
    expect.stringContaining(`the hooks in ${file} cannot be used:`),
    expect.stringContaining('hook "drain" has no valid point'),
    expect.stringContaining('hook "drain" has no valid onFailure'),
    expect.stringContaining('hook "drain" has the name of one before it'),
    expect.stringContaining('hook 4 is no object'),
  ]);
});

test('what is no JSON is refused with the line, and nothing of it is repeated', () => {
  const message = saidOf('[\n{"name": "a",\n "url": "http://s3cret" "x"}]');
  expect(message).toMatch(/no JSON \(line 3\); correct it/);
  expect(message).not.toMatch(/s3cret/);
  expect(saidOf('s3cret')).not.toMatch(/s3cret/);
  expect(saidOf('{}')).toMatch(/holds no list; write/);
});

test('an engine with a wrong or missing file does not start, and says why', async () => {
  const config = (path: string) => readConfig(['--data', folder, '--port', '0', '--hooks', path], {}, 'test');
  await expect(startEngine(config(join(folder, 'none')), silentLog)).rejects.toThrow(
    /hooks file .*none cannot be read \(ENOENT\); correct --hooks/,
  );
  writeFileSync(file, JSON.stringify([good({ name: 'x', limitSeconds: 1e9 })]));
  await expect(startEngine(config(file), silentLog)).rejects.toMatchObject({
    code: 'INVALID_INPUT',
    message: expect.stringContaining('hook "x" has a limitSeconds that is none') as string,
  });
});
