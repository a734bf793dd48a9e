/**
 * What a native route is: how it is asked, what it answers, whom it lets in. The route that is registered,
 * its entry in the OpenAPI document (`openapi.ts`) and its row in docs/reference/api-coverage.md are all made
 * of this.
 */
import type { Caller, UseCases } from '../../app/use-cases.ts';
import type { Permission } from '../../model/access.ts';
import type { Schema } from '../types/schema.ts';

/** What can be asked of the native API, and the answer. Texts are Markdown. */
export interface NativeOperation {
  readonly method: 'GET' | 'POST';
  /** Below `/api`. `:id` is its only parameter. */
  readonly path: string;
  /**
   * What the use cases it calls demand (`src/app/permissions.ts`), which enforce it; null: nobody has to sign
   * on.
   */
  readonly needs: Permission | null;
  /** Unique; generators of clients name their methods so. */
  readonly name: string;
  /** One sentence, without a full stop. */
  readonly summary: string;
  /** Whole sentences. */
  readonly description?: string;
  /** What `:id` is. */
  readonly id?: Schema;
  /** Optional, all of them. */
  readonly query?: Readonly<Record<string, Schema>>;
  readonly headers?: Readonly<Record<string, Schema>>;
  /** What is answered with 200. */
  readonly answer: Schema;
  /** JSON if it is not given. */
  readonly mediaType?: 'application/json' | 'text/plain' | 'text/event-stream';
}

/** What a native route is asked. */
export interface NativeCall {
  readonly useCases: UseCases;
  readonly caller: Caller;
  /** The path's `:id`, as it was given. */
  readonly id: string;
  readonly query: URLSearchParams;
}

/** An operation whose answer is made at once, and sent as JSON or, `text/plain`, as the text it is. */
export interface NativeRoute extends NativeOperation {
  readonly needs: Permission;
  readonly run: (call: NativeCall) => Promise<unknown>;
}

/** A route, whose `run` answers what its `answer` says: the compiler sees to it. */
export const nativeRoute = <T>(
  route: NativeRoute & {
    readonly answer: Schema<T>;
    readonly run: (call: NativeCall) => Promise<NoInfer<T>>;
  },
): NativeRoute => route;
