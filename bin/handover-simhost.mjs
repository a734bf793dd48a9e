#!/usr/bin/env node
/** The `handover-simhost` command: simulated libvirt hosts, see `docs/reference/simhost.md`. */
import { importSource } from './import-source.mjs';

const { main } = await importSource('handover-simhost', '../src/simhost/main.ts');
process.exit(await main(process.argv.slice(2)));
