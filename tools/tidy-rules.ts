/**
 * What the tidy check forbids, and where it is allowed all the same. The only list of exceptions, each with
 * its reason. A rule that changes is changed here and in CONTRIBUTING.md.
 */

/** Longest file, function and line of code. Generated files and SQL are not source files here. */
export const LIMITS = { fileLines: 400, functionLines: 70, lineColumns: 110 } as const;

/** A thing not to write. */
export interface Ban {
  readonly name: string;
  readonly pattern: RegExp;
  /** Where it is looked for. `code` is what is neither comment nor text. */
  readonly within: 'code' | 'strings' | 'comments' | 'text';
  /** Paths it holds for; absent: all. */
  readonly only?: RegExp;
  /** Paths where it is allowed. */
  readonly except?: RegExp;
  /** What to write instead, or why not. */
  readonly instead: string;
}

/** Time, chance and environment live here; the programs around the product may use them too. */
const WORLD = /^src\/(base|daemon|cli)\//;
const PRODUCT = /^src\//;
const TESTS = /\.test\.ts$/;

/** The ban list. */
export const BANS: readonly Ban[] = [
  {
    name: 'wall-clock',
    pattern: /\bDate\.now\b|\bnew Date\(\s*\)|\bperformance\.now\b|\bhrtime\b/,
    within: 'code',
    only: PRODUCT,
    except: WORLD,
    instead: 'take a Clock (src/base/clock.ts), so that campaigns run on a virtual one',
  },
  {
    name: 'timer',
    pattern: /\bset(Timeout|Interval)\b|\bAbortSignal\.timeout\b/,
    within: 'code',
    only: PRODUCT,
    except: new RegExp(`${WORLD.source}|${TESTS.source}`),
    instead: 'use Clock.after or Clock.sleep (src/base/clock.ts)',
  },
  {
    name: 'timer-module',
    pattern: /['"](node:)?timers(\/promises)?['"]/,
    within: 'strings',
    only: new RegExp(`${PRODUCT.source}|${TESTS.source}`),
    except: WORLD,
    instead: 'use Clock.sleep; in tests wait for a condition with a limit (test/support)',
  },
  {
    name: 'chance',
    pattern: /\bMath\.random\b|\brandomUUID\b|\brandomBytes\b|\brandomInt\b/,
    within: 'code',
    only: PRODUCT,
    except: WORLD,
    instead: 'take a Random (src/base/random.ts), so that the seed of a campaign decides',
  },
  {
    name: 'environment',
    pattern: /\bprocess\s*\.\s*env\b/,
    within: 'code',
    only: PRODUCT,
    except: /^src\/(daemon|cli)\/|\.test\.ts$/,
    instead: 'take the value as a parameter; src/daemon reads the environment',
  },
  {
    name: 'process-end',
    pattern: /\bprocess\s*\.\s*(exit|kill|abort)\b/,
    within: 'code',
    only: PRODUCT,
    except: /^src\/(daemon|cli)\/|\.test\.ts$/,
    instead: 'throw a HandoverError; only the daemon and the CLI end the process',
  },
  {
    name: 'console',
    pattern: /\bconsole\s*\.\s*\w+/,
    within: 'code',
    only: PRODUCT,
    except: /^src\/(daemon|cli)\//,
    instead: 'take a Log (src/base/log.ts)',
  },
  {
    name: 'foreign-error',
    pattern: /\bthrow new (Error|TypeError|RangeError)\b/,
    within: 'code',
    only: PRODUCT,
    except: /^src\/cli\/|\.test\.ts$/,
    instead: 'throw a HandoverError (src/base/errors.ts) or assert (src/base/assert.ts)',
  },
  {
    name: 'sql',
    pattern:
      /\b(insert into|delete from|create table|alter table)\s+\w|\bselect\b[^.!?]*\bfrom\s+\w+\s+where\b/i,
    within: 'strings',
    only: PRODUCT,
    except: /^src\/store\/|^src\/daemon\/postgres/,
    instead: 'only src/store contains SQL',
  },
  {
    name: 'libvirt-names',
    pattern: /\bvir(Domain|Connect|NodeDevice|Network|Storage)[A-Z]?\w*/,
    within: 'code',
    only: PRODUCT,
    except: /^src\/(libvirt|simhost)\//,
    instead: "only src/libvirt speaks of libvirt's functions; say what the port's verb says",
  },
  {
    name: 'ovirt-words',
    pattern: /\bmigrating_(from|to)\b|\bvds\b/i,
    within: 'text',
    only: PRODUCT,
    except: /^src\/api\/ovirt\//,
    instead: "only src/api/ovirt uses oVirt's words; say host, migrating",
  },
  {
    name: 'other-words',
    pattern: /\b(src|dst)[A-Z]\w*|\bdst\b|\bdest(Host|Domain|Vf|Uri)\w*/,
    within: 'code',
    only: PRODUCT,
    except: /^src\/libvirt\//,
    instead: 'say source and target',
  },
  {
    name: 'later',
    pattern: /\b(TODO|FIXME|XXX|HACK)\b/,
    within: 'comments',
    instead: 'do it, or file an issue',
  },
  {
    name: 'partial-tests',
    pattern: /\b(test|it|describe|suite)\s*\.\s*(only|skip|todo|skipIf|runIf|fails)\b/,
    within: 'code',
    instead: 'every test runs, everywhere; install what it needs in tools/setup',
  },
  {
    name: 'silenced-checker',
    pattern: /@ts-(ignore|nocheck|expect-error)|biome-ignore|eslint-disable(?!-next-line [\w@/-]+ -- \S)/,
    within: 'comments',
    instead: 'mend it; where the rule is wrong: eslint-disable-next-line RULE -- REASON',
  },
];

/** One place where a rule does not hold. An exception that is no longer needed fails the check. */
export interface Exception {
  readonly path: string;
  /** Name of a ban, or `file-lines`, `function-lines`, `line-columns`, `header`, `docstring`. */
  readonly rule: string;
  readonly reason: string;
}

/** All exceptions. */
export const EXCEPTIONS: readonly Exception[] = [
  { path: 'tools/tidy.test.ts', rule: 'timer-module', reason: 'plants a breach in a text' },
];
