/** The in-memory pair keeps the promises of every transport. */
import { describe, expect, test, vi } from 'vitest';
import { settle } from '../../../test/support/virtual-clock.ts';
import { HandoverError } from '../../base/errors.ts';
import { memoryTransportPair } from './memory.ts';

function started() {
  const [left, right] = memoryTransportPair();
  const at = () => ({ data: vi.fn(), drain: vi.fn(), closed: vi.fn() });
  const handlers = { left: at(), right: at() };
  left.start(handlers.left);
  right.start(handlers.right);
  return { left, right, handlers };
}

describe('a pair in memory', () => {
  test('delivers in order and never within write', async () => {
    const { left, handlers } = started();
    left.write(Buffer.from('a'));
    left.write(Buffer.from('b'));
    expect(handlers.right.data).not.toHaveBeenCalled();
    await settle();
    expect(handlers.right.data.mock.calls.map(([bytes]) => String(bytes))).toEqual(['a', 'b']);
  });

  test('keeps what arrives before start', async () => {
    const [left, right] = memoryTransportPair();
    left.write(Buffer.from('early'));
    await settle();
    const data = vi.fn();
    right.start({ data, drain: vi.fn(), closed: vi.fn() });
    await settle();
    expect(data).toHaveBeenCalledOnce();
  });

  test('asks the writer to wait while the reader pauses, and tells it when there is room', async () => {
    const { left, right, handlers } = started();
    right.pause();
    expect(left.write(Buffer.alloc(300 * 1024))).toBe(false);
    await settle();
    expect(handlers.left.drain).not.toHaveBeenCalled();
    right.resume();
    await settle();
    expect(handlers.left.drain).toHaveBeenCalledOnce();
  });

  test('closes both ends once, the other after what was sent', async () => {
    const { left, right, handlers } = started();
    left.write(Buffer.from('last'));
    left.close();
    left.close();
    right.write(Buffer.from('into the void'));
    await settle();
    expect(handlers.right.data).toHaveBeenCalledOnce();
    expect(handlers.right.closed).toHaveBeenCalledExactlyOnceWith(null);
    expect(handlers.left.closed).toHaveBeenCalledExactlyOnceWith(null);
    expect(handlers.left.data).not.toHaveBeenCalled();
  });

  test('when broken loses what was queued and gives both the reason', async () => {
    const { left, handlers } = started();
    left.write(Buffer.from('lost'));
    const reason = new HandoverError('HOST_UNREACHABLE', 'cable cut');
    left.break(reason);
    await settle();
    expect(handlers.right.data).not.toHaveBeenCalled();
    expect(handlers.right.closed).toHaveBeenCalledExactlyOnceWith(reason);
    expect(handlers.left.closed).toHaveBeenCalledExactlyOnceWith(reason);
  });
});
