/**
 * A migration, or a drill, as people like to read it: a bar per step on one time scale, VFs from and to,
 * downtime and network gap. Pure functions from the JSON form (`handover job show --output json`, `npm run
 * demo --
 * --json`) to lines of text.
 */

/** What a timeline is drawn from; a subset of both JSON forms. Times are ISO 8601, durations ms. */
export interface TimelineMigration {
  /** Left out: a migration. */
  readonly kind?: 'migrate_vm' | 'drill_vm';
  readonly vm: string;
  readonly source: string;
  readonly target: string | null;
  readonly state: string;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  readonly steps: readonly TimelineStep[];
  readonly vnics: readonly {
    readonly name: string;
    readonly mac: string;
    readonly sourceVf: string | null;
    readonly targetVf: string;
    readonly state: string;
  }[];
  readonly downtimeMs: number | null;
  readonly networkGaps?: readonly { readonly vnic: string | null; readonly doubt: string | null }[];
  readonly networkGapMs: {
    readonly unplug: number | null;
    readonly switchover: number | null;
    readonly plug: number | null;
    readonly longest: number | null;
  } | null;
  readonly waitReason?: string | null;
  readonly progress?: { readonly bytesTotal: number; readonly bytesRemaining: number } | null;
  readonly probe?: { readonly intervalMs: number; readonly sent: number; readonly received: number } | null;
  readonly tcp?: { readonly survived: boolean; readonly bytes: number } | null;
  readonly warnings?: readonly string[];
  readonly leftBehind?: readonly string[];
  readonly error?: { readonly message: string } | null;
}

interface TimelineStep {
  readonly name: string;
  /** Set for the part of one vNIC; such parts have no line of their own. */
  readonly vnic?: string | null;
  readonly state: string;
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly message?: string | null;
}

/** How to draw. `nowMs`: wall clock, where bars of running steps end. */
export interface TimelineStyle {
  readonly colour: boolean;
  readonly nowMs: number;
}

/** So that a line with a short message fits a terminal of 80 columns. */
const BAR_WIDTH = 30;
const MARKS: Readonly<Record<string, string>> = {
  started: '▸',
  finished: '✔',
  failed: '✘',
  skipped: '·',
  undone: '↺',
};
const COLOURS = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const;
type Colour = keyof typeof COLOURS;

const STATE_COLOUR: Readonly<Record<string, Colour>> = {
  succeeded: 'green',
  finished: 'green',
  plugged: 'green',
  failed: 'red',
  needs_operator: 'red',
  degraded: 'yellow',
  cancelled: 'yellow',
  undone: 'yellow',
  unplugged: 'yellow',
  unplug_pending: 'yellow',
  undoing: 'yellow',
  started: 'cyan',
  running: 'cyan',
  queued: 'cyan',
  skipped: 'dim',
};

/** Colours a text, or leaves it. */
export function paint(style: Pick<TimelineStyle, 'colour'>, colour: Colour, text: string): string {
  return style.colour ? `\u001b[${COLOURS[colour]}m${text}\u001b[0m` : text;
}

const stateText = (style: TimelineStyle, state: string): string =>
  paint(style, STATE_COLOUR[state] ?? 'bold', state.replaceAll('_', ' '));

/** `38 ms`, `4.21 s`, `2 min 05 s`; a dash for what is not known. */
export function durationText(ms: number | null): string {
  if (ms === null) return '-';
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(2)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, '0')} s`;
}

/** The whole timeline, lines without line ends. */
export function timelineLines(migration: TimelineMigration, style: TimelineStyle): string[] {
  return [
    headline(migration, style),
    '',
    ...stepLines(migration, style),
    ...section(vnicLines(migration, style)),
    ...section(figureLines(migration, style)),
    ...section(remarkLines(migration, style)),
  ];
}

const section = (lines: readonly string[]): string[] => (lines.length === 0 ? [] : ['', ...lines]);

function headline(migration: TimelineMigration, style: TimelineStyle): string {
  const { kind, vm, source, target, state } = migration;
  const way = kind === 'drill_vm' ? `drill on ${source}` : `${source} → ${target ?? '?'}`;
  const lasted = span(migration, style.nowMs);
  const title = `${paint(style, 'bold', vm)}  ${way}  ${stateText(style, state)}`;
  if (migration.endedAt !== null && lasted !== null) return `${title} in ${durationText(lasted)}`;
  if (lasted !== null) return `${title} for ${durationText(lasted)}`;
  return migration.waitReason ? `${title}: ${migration.waitReason}` : title;
}

function span(migration: TimelineMigration, nowMs: number): number | null {
  if (migration.startedAt === null) return null;
  const end = migration.endedAt === null ? nowMs : Date.parse(migration.endedAt);
  return Math.max(0, end - Date.parse(migration.startedAt));
}

function stepLines(migration: TimelineMigration, style: TimelineStyle): string[] {
  const steps = migration.steps.filter((step) => (step.vnic ?? null) === null);
  if (steps.length === 0) return ['  no step has begun yet'];
  const endOf = (step: TimelineStep) => (step.endedAt === null ? style.nowMs : Date.parse(step.endedAt));
  const fromMs = Math.min(...steps.map((step) => Date.parse(step.startedAt)));
  const toMs = Math.max(fromMs + 1, ...steps.map(endOf));
  const column = (ms: number) => Math.round(((ms - fromMs) / (toMs - fromMs)) * BAR_WIDTH);
  const nameWidth = Math.max(...steps.map((step) => step.name.length));
  return steps.map((step) => {
    const startMs = Date.parse(step.startedAt);
    const isSkipped = step.state === 'skipped';
    const from = Math.min(column(startMs), BAR_WIDTH - 1);
    const length = Math.max(1, column(endOf(step)) - from);
    const bar = ' '.repeat(from) + (isSkipped ? '·' : '█'.repeat(length));
    const colour = STATE_COLOUR[step.state] ?? 'bold';
    const mark = paint(style, colour, MARKS[step.state] ?? '?');
    const lasted = isSkipped ? 'skipped' : durationText(endOf(step) - startMs);
    const message = step.message && step.state !== 'skipped' ? `  ${step.message}` : '';
    const padded = paint(style, colour, bar) + ' '.repeat(BAR_WIDTH - from - (isSkipped ? 1 : length));
    return `  ${mark} ${step.name.padEnd(nameWidth)}  ${padded}  ${lasted.padStart(10)}${message}`.trimEnd();
  });
}

function vnicLines(migration: TimelineMigration, style: TimelineStyle): string[] {
  return migration.vnics.map(({ name, mac, sourceVf, targetVf, state }) => {
    const from = sourceVf === targetVf ? '' : `${sourceVf ?? '(none)'} → `;
    return `  ${name}  VF ${from}${targetVf}  ${stateText(style, state)}  ${mac}`;
  });
}

function figureLines(migration: TimelineMigration, style: TimelineStyle): string[] {
  const lines: string[] = [];
  const { downtimeMs, networkGapMs: gap, progress, probe, tcp } = migration;
  if (progress && migration.endedAt === null && progress.bytesTotal > 0) {
    const sent = Math.max(0, progress.bytesTotal - progress.bytesRemaining) / progress.bytesTotal;
    const filled = Math.round(sent * BAR_WIDTH);
    const bar = '█'.repeat(filled) + '░'.repeat(BAR_WIDTH - filled);
    lines.push(`  memory       ${paint(style, 'cyan', bar)} ${Math.floor(sent * 100)} %`);
  }
  if (downtimeMs !== null) lines.push(`  downtime     ${durationText(downtimeMs)} (guest paused)`);
  if (gap && Object.values(gap).some((each) => each !== null)) {
    const parts = [
      `unplug ${durationText(gap.unplug)}`,
      ...(migration.kind === 'drill_vm' ? [] : [`switchover ${durationText(gap.switchover)}`]),
      `plug ${durationText(gap.plug)}`,
    ];
    lines.push(`  network gap  ${durationText(gap.longest)} longest (${parts.join(', ')})`);
  }
  for (const { doubt, vnic } of migration.networkGaps ?? []) {
    if (doubt !== null) lines.push(`  network gap  not known${vnic === null ? '' : ` of ${vnic}`}: ${doubt}`);
  }
  if (probe) {
    const { sent, received, intervalMs } = probe;
    const lost = sent - received;
    lines.push(`  probe        ${received} of ${sent} answered, ${lost} lost, one every ${intervalMs} ms`);
  }
  if (tcp) {
    const verdict = tcp.survived ? 'survived' : paint(style, 'red', 'broke');
    lines.push(
      `  tcp          one connection ${verdict}, ${(tcp.bytes / 1024 / 1024).toFixed(1)} MiB carried`,
    );
  }
  return lines;
}

function remarkLines(migration: TimelineMigration, style: TimelineStyle): string[] {
  return [
    ...(migration.error ? [`  ${paint(style, 'red', 'error')}: ${migration.error.message}`] : []),
    ...(migration.warnings ?? []).map((text) => `  ${paint(style, 'yellow', 'warning')}: ${text}`),
    ...(migration.leftBehind ?? []).map((text) => `  ${paint(style, 'yellow', 'left behind')}: ${text}`),
  ];
}

/**
 * What changed between two looks at a migration, one line each with its time: for a log or a pipe, where
 * nothing can be redrawn. `before` null: everything so far.
 */
export function changeLines(before: TimelineMigration | null, after: TimelineMigration): string[] {
  const key = (step: TimelineStep) => `${step.name} ${step.vnic ?? ''}`;
  const known = new Map((before?.steps ?? []).map((step) => [key(step), step.state]));
  const clock = (iso: string) => iso.slice(11, 19);
  const lines: string[] = [];
  if (before?.waitReason !== after.waitReason && after.waitReason) lines.push(`waiting: ${after.waitReason}`);
  for (const step of after.steps) {
    if (known.get(key(step)) === step.state) continue;
    const lasted =
      step.endedAt === null || step.state === 'skipped'
        ? ''
        : ` in ${durationText(Date.parse(step.endedAt) - Date.parse(step.startedAt))}`;
    const vnic = step.vnic ? ` ${step.vnic}` : '';
    const message = step.message ? `: ${step.message}` : '';
    const at = clock(step.endedAt ?? step.startedAt);
    lines.push(`${at}  ${step.name}${vnic} ${step.state}${lasted}${message}`);
  }
  return lines;
}
