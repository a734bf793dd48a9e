/**
 * `/api/openapi.json`: the native API as OpenAPI 3.1, made of its routes and the schemas of their answers; so
 * nothing of it is written down twice. Whoever can reach the engine may read it: it holds what the public
 * documentation does.
 */
import { readFileSync } from 'node:fs';
import type { FastifyInstance } from 'fastify';
import { ERROR_CODES, type ErrorCode } from '../../base/errors.ts';
import { rolesThatGive } from '../../model/access.ts';
import { statusOf } from '../ovirt/fault.ts';
import { domainDiskSchema, domainInterfaceSchema, domainSchema } from '../types/domain-view.ts';
import * as fleet from '../types/fleet-view.ts';
import { drillSchema, guestSchema } from '../types/guest-view.ts';
import * as host from '../types/host-view.ts';
import {
  alertSchema,
  eventSchema,
  jobSchema,
  movingVnicSchema,
  stepSchema,
  transferSampleSchema,
} from '../types/job-view.ts';
import { choice, object, type Schema, text } from '../types/schema.ts';
import * as vm from '../types/vm-view.ts';
import { EVENT_STREAM } from './event-stream.ts';
import type { NativeOperation } from './operation.ts';
import { nativeRoutes } from './routes.ts';

const CODES = Object.keys(ERROR_CODES) as ErrorCode[];

const faultSchema: Schema = {
  ...object({
    reason: text(),
    detail: text('What failed, on which thing, and what to do.'),
    code: choice(
      CODES,
      `What each means is in docs/reference/errors.md. With their HTTP status: ` +
        `${CODES.map((code) => `\`${code}\` ${statusOf(code)}`).join(', ')}.`,
    ),
  }),
  description: 'Why a request was refused. Without `code` if it was none that could be understood.',
  required: ['reason', 'detail'],
};

/** Schemas that have a name in the document; any other is written where it is used. */
const COMPONENTS: Readonly<Record<string, Schema>> = {
  Job: jobSchema,
  Step: stepSchema,
  MovingVnic: movingVnicSchema,
  Alert: alertSchema,
  Event: eventSchema,
  Host: host.hostSchema,
  Inventory: host.inventorySchema,
  Pf: host.pfSchema,
  Vf: host.vfSchema,
  VfAttributes: host.vfAttributesSchema,
  HostNic: host.hostNicSchema,
  Bridge: host.bridgeSchema,
  NetworkPool: host.networkPoolSchema,
  PeerTest: host.peerTestSchema,
  Domain: domainSchema,
  DomainInterface: domainInterfaceSchema,
  DomainDisk: domainDiskSchema,
  TransferSample: transferSampleSchema,
  Vm: vm.vmSchema,
  Vnic: vm.vnicSchema,
  VmPage: vm.vmPageSchema,
  MigrationPlan: vm.planSchema,
  HostVerdict: vm.hostVerdictSchema,
  Movability: vm.movabilitySchema,
  Guest: guestSchema,
  Drill: drillSchema,
  Overview: fleet.overviewSchema,
  HostSummary: fleet.hostSummarySchema,
  PfUse: fleet.pfUseSchema,
  VfUse: fleet.vfUseSchema,
  VnicProfile: fleet.profileSchema,
  Fault: faultSchema,
};
const NAMES = new Map(Object.entries(COMPONENTS).map(([name, schema]) => [schema, name]));

/** How the document itself is asked for. */
const OPENAPI: NativeOperation = {
  method: 'GET',
  path: 'openapi.json',
  needs: null,
  name: 'getOpenApi',
  summary: 'The native API as an OpenAPI 3.1 document',
  answer: { type: 'object' },
};

/** Where it is; the only path below `/api` that is for everybody. */
export const OPENAPI_PATH = `/api/${OPENAPI.path}`;

/** All there is below `/api`. */
export const nativeOperations: readonly NativeOperation[] = [...nativeRoutes, EVENT_STREAM, OPENAPI];

/** Registers it. */
export function registerOpenApi(app: FastifyInstance): void {
  const document = JSON.stringify(openApiDocument(), null, 2);
  app.get(OPENAPI_PATH, async (_request, reply) => {
    await reply.header('content-type', 'application/json').send(document);
    return reply;
  });
}

function openApiDocument(): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const operation of nativeOperations) {
    const path = `/${operation.path.replace(/:(\w+)/g, '{$1}')}`;
    paths[path] = { ...paths[path], [operation.method.toLowerCase()]: entryOf(operation) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Handover: the native API',
      version: productVersion(),
      description:
        "What oVirt's REST API, which the same port serves below `/ovirt-engine/api`, has no words for. " +
        'Times are ISO 8601 UTC, units are the last part of a name, and what is not known is null. An ' +
        'object may get further properties in later versions.',
    },
    servers: [{ url: '/api' }],
    security: [{ bearer: [] }, { basic: [] }],
    paths,
    components: {
      schemas: Object.fromEntries(Object.entries(COMPONENTS).map(([name, schema]) => [name, inside(schema)])),
      responses: {
        Fault: {
          description: 'It was refused, or failed.',
          content: { 'application/json': { schema: named(faultSchema) } },
        },
      },
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          description:
            'A token of `POST /ovirt-engine/sso/oauth/token` (form: `grant_type=password`, `username`, ' +
            '`password`, `scope=ovirt-app-api`).',
        },
        basic: { type: 'http', scheme: 'basic', description: 'Signs on and out for each request.' },
      },
    },
  };
}

function entryOf(operation: NativeOperation): object {
  const { name, summary, needs, id, query = {}, headers = {}, answer } = operation;
  const optional = (where: 'query' | 'header', given: Readonly<Record<string, Schema>>) =>
    Object.entries(given).map(([each, schema]) => ({ name: each, in: where, ...parameter(schema) }));
  const parameters = [
    ...(id ? [{ name: 'id', in: 'path', required: true, ...parameter(id) }] : []),
    ...optional('query', query),
    ...optional('header', headers),
  ];
  const roles = needs === null ? null : rolesThatGive(needs).join(', ');
  const texts = [operation.description, roles && `For the roles: ${roles}.`].filter(Boolean);
  return {
    operationId: name,
    summary,
    ...(texts.length > 0 ? { description: texts.join(' ') } : {}),
    ...(needs === null ? { security: [] } : {}),
    ...(parameters.length > 0 ? { parameters } : {}),
    responses: {
      200: {
        description: summary,
        content: { [operation.mediaType ?? 'application/json']: { schema: named(answer) } },
      },
      default: { $ref: '#/components/responses/Fault' },
    },
  };
}

function parameter({ description, ...schema }: Schema): object {
  return { ...(description === undefined ? {} : { description }), schema };
}

/** A schema as the document says it: by its name, or written out. */
function named(schema: Schema): Schema {
  const name = NAMES.get(schema);
  return name === undefined ? inside(schema) : { $ref: `#/components/schemas/${name}` };
}

function inside(schema: Schema): Schema {
  const { items, properties, additionalProperties, anyOf } = schema;
  const each = (all: Readonly<Record<string, Schema>>) =>
    Object.fromEntries(Object.entries(all).map(([name, value]) => [name, named(value)]));
  return {
    ...schema,
    ...(items ? { items: named(items) } : {}),
    ...(properties ? { properties: each(properties) } : {}),
    ...(additionalProperties ? { additionalProperties: named(additionalProperties) } : {}),
    ...(anyOf ? { anyOf: anyOf.map(named) } : {}),
  };
}

function productVersion(): string {
  const file = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(file) as { version: string }).version;
}
