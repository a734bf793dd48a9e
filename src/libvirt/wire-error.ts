/** libvirt's errors as `HandoverError`, and how to recognise them: by code, never by text. */
import { HandoverError } from '../base/errors.ts';
import type { AnyProcedure } from './procedures/procedure.ts';
import type { WireError } from './procedures/types.ts';

/** What `detail` of a `LIBVIRT_REFUSED` holds. `libvirtMessage` is libvirt's own text. */
export interface RefusalDetail {
  readonly libvirtCode: number;
  readonly libvirtDomain: number;
  readonly level: number;
  readonly procedure: string;
  readonly libvirtMessage: string;
}

/** The error for a refused call. `where` is the connection's label. */
export function refusal(
  procedure: Pick<AnyProcedure, 'name'>,
  error: WireError,
  where: string,
): HandoverError {
  const said = error.message ?? 'no message';
  const detail: RefusalDetail = {
    libvirtCode: error.code,
    libvirtDomain: error.domain,
    level: error.level,
    procedure: procedure.name,
    libvirtMessage: said,
  };
  return new HandoverError('LIBVIRT_REFUSED', `libvirt on ${where} refused ${procedure.name}: ${said}`, {
    detail: { ...detail },
  });
}

/** libvirt's code (`LIBVIRT_CODE`) of a `LIBVIRT_REFUSED`; undefined for any other thrown value. */
export function libvirtCodeOf(thrown: unknown): number | undefined {
  if (!(thrown instanceof HandoverError) || thrown.code !== 'LIBVIRT_REFUSED') return undefined;
  const code = thrown.detail['libvirtCode'];
  return typeof code === 'number' ? code : undefined;
}

/** libvirt's own text of a `LIBVIRT_REFUSED`; undefined for any other thrown value. */
export function libvirtMessageOf(thrown: unknown): string | undefined {
  if (!(thrown instanceof HandoverError) || thrown.code !== 'LIBVIRT_REFUSED') return undefined;
  const text = thrown.detail['libvirtMessage'];
  return typeof text === 'string' ? text : undefined;
}

/** True if libvirt refused with one of `codes`. */
export function isLibvirtCode(thrown: unknown, ...codes: number[]): thrown is HandoverError {
  const code = libvirtCodeOf(thrown);
  return code !== undefined && codes.includes(code);
}
