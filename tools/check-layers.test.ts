/** The layer check finds what it is for: planted imports that cross a border. */
import { expect, test } from 'vitest';
import { checkLayers, layerProblems } from './check-layers.ts';
import { LAYERS } from './layer-rules.ts';
import { ROOT } from './report.ts';

const problems = (path: string, text: string): string => layerProblems(path, text).join('\n');

test('an import of a layer that is not in the list is reported with the line and what is allowed', () => {
  const text =
    "import { assert } from '../base/assert.ts';\nimport { openStore } from '../store/store.ts';\n";
  expect(layerProblems('src/scheduler/choose.ts', text)).toEqual([
    'src/scheduler/choose.ts:2: src/scheduler may not import src/store/store.ts. ' +
      'It may import src/base, src/model (and its own files).',
  ]);
});

test('type-only, dynamic and re-exporting imports are seen as well', () => {
  expect(problems('src/model/vm.ts', "import type { Store } from '../app/store-port.ts';")).toContain(
    'may not',
  );
  expect(problems('src/model/vm.ts', "const store = await import('../store/store.ts');")).toContain(
    'may not',
  );
  expect(problems('src/model/vm.ts', "export * from '../store/store.ts';")).toContain('may not');
});

test('a layer may import its own files and those of the layers below it', () => {
  const text = "import './vm.ts';\nimport type { HostId } from '../base/ids.ts';\n";
  expect(problems('src/model/host.ts', text)).toBe('');
});

test('ports may be imported where behaviour may not', () => {
  expect(problems('src/store/jobs.ts', "import type { SagaStore } from '../saga/port.ts';")).toBe('');
  expect(problems('src/store/jobs.ts', "import { run } from '../saga/runner.ts';")).toContain(
    'may not import',
  );
  expect(problems('src/store/jobs.ts', "import type { Store } from '../app/store-port.ts';")).toBe('');
});

test('a simulated host may use the wire format but not the client', () => {
  expect(problems('src/simhost/server.ts', "import '../libvirt/xdr/codec.ts';")).toBe('');
  expect(problems('src/simhost/server.ts', "import '../libvirt/client.ts';")).toContain('may not import');
  expect(problems('src/simhost/server.test.ts', "import '../libvirt/client.ts';")).toBe('');
});

test('nothing of the product imports the daemon', () => {
  expect(problems('src/cli/serve.ts', "import '../daemon/main.ts';")).toContain('may not import');
  expect(problems('test/support/postgres.ts', "import '../../src/daemon/postgres.ts';")).toBe('');
});

test('pure layers import neither packages nor modules of Node', () => {
  expect(problems('src/scheduler/choose.ts', "import { readFileSync } from 'node:fs';")).toContain('nothing');
  expect(problems('src/store/db.ts', "import pg from 'pg';")).toBe('');
  expect(problems('src/app/sign-on.ts', "import fastify from 'fastify';")).toContain('"fastify"');
});

test('tests beside the source may use the test runner and test/support, on top of their layer', () => {
  const text = "import { test } from 'vitest';\nimport '../../test/support/until.ts';\n";
  expect(problems('src/model/vm.test.ts', text)).toBe('');
  expect(problems('src/model/vm.test.ts', "import '../store/store.ts';")).toContain('may not import');
});

test('a file outside every area is reported', () => {
  expect(problems('extra/thing.ts', '')).toContain('no known area');
});

test('every area with files is in the table, so the check sees the whole checkout', () => {
  expect(checkLayers(ROOT).filter((problem) => problem.includes('no known area'))).toEqual([]);
  expect(new Set(LAYERS.map((layer) => layer.area)).size).toBe(LAYERS.length);
});

test('the console may import types of the API, and nothing of it that runs', () => {
  const path = 'console/src/pages/jobs/jobs-page.tsx';
  const from = "from '../../../../src/api/types/job-view.ts';";
  expect(problems(path, `import type { JobView } ${from}`)).toBe('');
  expect(problems(path, `import { jobSchema } ${from}`)).toContain('may not import');
  expect(problems(path, `import type { JobView } ${from}\nimport { jobSchema } ${from}`)).toContain(
    'may not',
  );
  expect(problems(path, "import fastify from 'fastify';")).toContain('"fastify"');
});
