/** What is taken from the text of ftrace. */
import { describe, expect, test } from 'vitest';
import { TraceRecord } from './trace-record.ts';

const turn = (prev: string, prevPid: number, prevState: string, next: string, nextPid: number): string =>
  `sched_switch: prev_comm=${prev} prev_pid=${prevPid} prev_prio=120 prev_state=${prevState} ==> ` +
  `next_comm=${next} next_pid=${nextPid} next_prio=120`;

/** Lines as the kernel prints them: thread, number, seconds, what. */
function recordOf(lines: readonly (readonly [thread: string, pid: number, atMs: number, what: string])[]) {
  const text = lines.map(([thread, pid, atMs, what]) => {
    return `  ${thread}-${pid}   [000] d..2.  ${(atMs / 1000).toFixed(6)}: ${what}`;
  });
  return TraceRecord.of(['# tracer: nop', ...text].join('\n'));
}

const packet = (atMs: number) =>
  ['vhost-7', 9, atMs, 'netif_receive_skb: dev=vnet0 skbaddr=0 len=84'] as const;

describe('a record', () => {
  const record = recordOf([
    ['CPU 0/KVM', 8, 1000, 'sys_ioctl(fd: 1c, cmd: ae80, arg: 0)'],
    packet(1010),
    ['CPU 0/KVM', 8, 1020, turn('CPU 0/KVM', 8, 'R', 'qemu-system-x86', 7)],
    ['qemu-system-x86', 7, 1021, 'sys_ioctl(fd: 20, cmd: 3b71, arg: 7ffc)'],
    packet(1022),
    ['qemu-system-x86', 7, 1081, 'sys_ioctl -> 0x0'],
    ['qemu-system-x86', 7, 1082, turn('qemu-system-x86', 7, 'S', 'CPU 0/KVM', 8)],
    packet(1090),
    ['CPU 0/KVM', 8, 1091, 'sys_ioctl -> 0x0'],
    ['CPU 0/KVM', 8, 1091, 'sys_futex(uaddr: 5, op: 80, val: 2, utime: 0, uaddr2: 0, val3: 0)'],
    ['CPU 0/KVM', 8, 1092, turn('CPU 0/KVM', 8, 'S', 'swapper/0', 0)],
    ['swapper/0', 0, 1100, 'sched_waking: comm=CPU 0/KVM pid=8 prio=120 target_cpu=000'],
    ['swapper/0', 0, 1103, turn('swapper/0', 0, 'R', 'CPU 0/KVM', 8)],
    packet(1104),
  ]);

  test('says when a VF was attached, and for how long nothing came through the tap meanwhile', () => {
    const attach = record.attach();
    expect(attach).toEqual({ fromMs: 1021, toMs: 1081 });
    expect(attach && record.longestSilence(attach)).toEqual({ fromMs: 1022, toMs: 1090 });
  });

  test('counts a silence whole that began before the part of the time it is asked about', () => {
    expect(record.longestSilence({ fromMs: 1050, toMs: 1060 })).toEqual({ fromMs: 1022, toMs: 1090 });
  });

  test('says what each thread did in a part of the time', () => {
    const shares = record.shares({ fromMs: 1022, toMs: 1104 });
    const of = (thread: string) =>
      shares
        .filter((each) => each.thread === thread)
        .map(({ state, call, ms }) => [state, call, Math.round(ms)]);
    expect(of('qemu-system-x86')).toContainEqual(['runs', 'VFIO_IOMMU_MAP_DMA', 59]);
    expect(of('CPU 0/KVM')).toContainEqual(['waits for the CPU', 'KVM_RUN', 60]);
    expect(of('CPU 0/KVM')).toContainEqual(['sleeps', 'futex', 8]);
    expect(of('CPU 0/KVM')).toContainEqual(['waits for the CPU', 'futex', 3]);
  });
});

test('what is no line of a trace is passed over; nothing seen is no attach', () => {
  expect(TraceRecord.of('CPU:0 [LOST 12 EVENTS]\n\n').attach()).toBeNull();
});
