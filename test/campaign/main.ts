/**
 * `npm run campaign -- [--seed N] [--migrations M] [--hosts H] [--vms V]`: migrations on simulated hosts with
 * everything random drawn from the seed, on a virtual clock, in as many processes as there are cores, until M
 * have ended. Exit status 0 if every promise was kept; 1 with the seed, the broken promises and the steps of
 * the shortest run that breaks them; 2 on wrong use.
 */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { messageOf } from '../../src/base/errors.ts';
import { runCampaign } from './campaign.ts';

const USAGE = `usage: npm run campaign -- [--seed N] [--migrations M] [--hosts H] [--vms V]
  --seed N        decides everything random; default: any, which is printed
  --migrations M  until so many have ended; default 1000000
  --hosts H       2 to 8 simulated hosts; default 3
  --vms V         1 to 3 VMs for each host; default 6 in all`;

interface Range {
  readonly min: number;
  readonly max: number;
  readonly otherwise: number;
}

function numberOf(name: string, given: string | undefined, range: Range): number {
  if (given === undefined) return range.otherwise;
  const number = Number(given);
  if (/^\d+$/.test(given) && number >= range.min && number <= range.max) return number;
  throw new Error(`--${name} must be a whole number from ${range.min} to ${range.max}, not "${given}"`);
}

async function main(): Promise<number> {
  let options: Parameters<typeof runCampaign>[0];
  try {
    const given = { type: 'string' } as const;
    const { values } = parseArgs({ options: { seed: given, migrations: given, hosts: given, vms: given } });
    const seed = numberOf('seed', values.seed, { min: 0, max: 0xffff_ffff, otherwise: randomInt(1 << 30) });
    const migrations = numberOf('migrations', values.migrations, { min: 1, max: 1e9, otherwise: 1e6 });
    const hosts = numberOf('hosts', values.hosts, { min: 2, max: 8, otherwise: 3 });
    const vms = numberOf('vms', values.vms, { min: 1, max: hosts * 3, otherwise: hosts * 2 });
    options = { seed, migrations, hosts, vms, print: (line) => console.log(line) };
  } catch (thrown) {
    console.error(`${messageOf(thrown)}\n${USAGE}`);
    return 2;
  }
  return (await runCampaign(options)) ? 0 : 1;
}

process.exitCode = await main();
