/**
 * Who may import whom: the table that `check-layers.ts` enforces and ARCHITECTURE.md explains. The most
 * specific area that a file's path begins with is its own; a file may always import from its own area.
 */

/** One area of the source tree. */
export interface Layer {
  /** Folder, from the repository's root. */
  readonly area: string;
  /** Areas or single files it may import, besides its own; `PORTS` stands for every port file. */
  readonly imports: readonly string[];
  /** npm packages and, as `node:*`, Node's own modules it may import. */
  readonly packages: readonly string[];
  /** Areas it may import types of, and nothing that is there when it runs. */
  readonly typeImports?: readonly string[];
  /** Areas that only its tests may import. */
  readonly testImports?: readonly string[];
}

/** Marks that an area may import port files: interfaces declared by their consumer, without behaviour. */
export const PORTS = 'ports';

/** The port files, by name. */
export function isPort(path: string): boolean {
  return /\/([a-z-]+-)?port\.ts$/.test(path);
}

const EVERYTHING = 'src';
/** What tests beside the source may import on top of their layer. */
export const TEST_IMPORTS = {
  areas: ['test/support'],
  packages: ['vitest', 'fast-check', 'node:*'],
} as const;

/** The table. `src/daemon` is not in anybody's list: nothing of the product imports it. */
export const LAYERS: readonly Layer[] = [
  { area: 'src/base', imports: [], packages: ['node:*'] },
  { area: 'src/model', imports: ['src/base'], packages: [] },
  { area: 'src/scheduler', imports: ['src/base', 'src/model'], packages: [] },
  { area: 'src/libvirt', imports: ['src/base'], packages: ['node:*', 'saxes'] },
  { area: 'src/hypervisor', imports: ['src/base', 'src/model', 'src/libvirt'], packages: ['node:*'] },
  { area: 'src/guest-kit', imports: ['src/base', 'src/model'], packages: ['node:*'] },
  { area: 'src/saga', imports: ['src/base'], packages: [] },
  { area: 'src/migration', imports: ['src/base', 'src/model', 'src/saga', PORTS], packages: [] },
  { area: 'src/store', imports: ['src/base', 'src/model', PORTS], packages: ['node:*', 'pg'] },
  {
    area: 'src/app',
    imports: ['src/base', 'src/model', 'src/scheduler', 'src/saga', 'src/migration', 'src/guest-kit', PORTS],
    packages: ['node:crypto', 'node:net', 'node:util'],
  },
  {
    area: 'src/api',
    imports: ['src/base', 'src/model', 'src/app'],
    packages: ['node:*', 'fastify', '@fastify/static', 'saxes'],
  },
  { area: 'src/cli', imports: ['src/api/types'], packages: ['node:*', 'commander'] },
  {
    area: 'console',
    imports: [],
    typeImports: ['src/api/types'],
    packages: [
      'react',
      'react-dom',
      '@patternfly/react-core',
      '@patternfly/react-icons',
      '@patternfly/react-table',
      '@tanstack/react-query',
      'wouter',
      'vite',
      '@vitejs/plugin-react',
    ],
  },
  {
    area: 'src/simhost',
    imports: ['src/base', 'src/libvirt/xdr', 'src/libvirt/procedures', 'src/libvirt/framing.ts'],
    packages: ['node:*', 'saxes'],
    // Simulated hosts are tested through the real client.
    testImports: ['src/libvirt'],
  },
  { area: 'src/daemon', imports: [EVERYTHING], packages: ['*'] },
  { area: 'test', imports: [EVERYTHING, 'lab', 'tools', 'bench'], packages: ['*'] },
  // Shell; its tests compare it with the texts.
  { area: 'guest', imports: [], packages: [], testImports: ['src/guest-kit', 'src/base'] },
  { area: 'lab', imports: [EVERYTHING, 'tools'], packages: ['*'] },
  { area: 'bench', imports: [EVERYTHING, 'lab', 'tools', 'test/support', 'test/campaign'], packages: ['*'] },
  { area: 'tools', imports: [EVERYTHING, 'lab', 'bench'], packages: ['*'] },
];
