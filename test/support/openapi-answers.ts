/**
 * The OpenAPI document as it is served, and whether answers are what it says: every property that comes is
 * described, every one that is described comes. Callers: tests of the native API.
 */
import Ajv from 'ajv';

interface Described {
  readonly operationId: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly responses: {
    readonly 200: { readonly content: Readonly<Record<string, { readonly schema: object }>> };
  };
}

/** The parts of the document that tests look at. */
export interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, { readonly properties: Readonly<Record<string, object>> }>>;
  };
}

/** Asks whether an answer is as described; gives what is wrong with it. */
export interface AnswerCheck {
  /** The answer to `VERB /path/{id}`: with 200 by its schema, else as a fault. */
  answer(operation: string, status: number, body: unknown): string[];
  /** One value, by the name of its schema. */
  value(schema: string, value: unknown): string[];
}

/** A check by this document. */
export function answerCheck(document: OpenApi): AnswerCheck {
  // The schemas may say only what draft-07 and OpenAPI 3.1 understand in the same way.
  const ajv = new Ajv({ allErrors: true, strictKeywords: true, extendRefs: 'fail', unknownFormats: [] });
  const definitions = closed(document.components.schemas);
  const wrong = (schema: object, value: unknown): string[] => {
    const text = JSON.stringify({ definitions, allOf: [closed(schema)] });
    const whole = text.replaceAll('#/components/schemas/', '#/definitions/');
    const validate = ajv.compile(JSON.parse(whole) as object);
    if (validate(value) === true) return [];
    return (validate.errors ?? []).map(({ dataPath, message, params }) =>
      [dataPath, message, JSON.stringify(params)].join(' '),
    );
  };
  const fault = { $ref: '#/components/schemas/Fault' };
  return {
    answer(operation, status, body) {
      const [verb = '', path = ''] = operation.split(' ');
      const described =
        document.paths[path]?.[verb.toLowerCase()]?.responses[200].content['application/json'];
      if (described === undefined) return [`${operation} is not described`];
      return wrong(status === 200 ? described.schema : fault, body);
    },
    value: (name, value) => wrong({ $ref: `#/components/schemas/${name}` }, value),
  };
}

/** With every object's properties being all it may have: clients must bear more of them, a test need not. */
function closed(part: unknown): unknown {
  if (Array.isArray(part)) return part.map(closed);
  if (typeof part !== 'object' || part === null) return part;
  const all = Object.fromEntries(Object.entries(part).map(([key, value]) => [key, closed(value)]));
  return typeof all['required'] === 'object' ? { additionalProperties: false, ...all } : all;
}
