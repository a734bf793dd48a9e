/**
 * Brings the schema up to date: applies the files of `sql/` that the database has not seen, in order, in one
 * transaction under an advisory lock, so that any number of replicas may start at once and exactly one
 * applies them. A file that was released is never edited; a change is a new file.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { HandoverError } from '../base/errors.ts';
import type { Db } from './db.ts';

const MIGRATIONS_DIR = new URL('./sql/', import.meta.url);
/** Any number nobody else uses in this database. */
const MIGRATION_LOCK = 7_264_001;
const POSTGRES_VERSION_MIN = 150_000;

/** The migration files in order: `0001-base.sql`... */
export function migrationNames(): string[] {
  return readdirSync(MIGRATIONS_DIR)
    .filter((name) => /^\d{4}-[a-z0-9-]+\.sql$/.test(name))
    .sort();
}

/**
 * Applies what is missing and returns the names applied now. Throws `INVALID_INPUT` for a server before
 * PostgreSQL 15 and for a database that a newer Handover has already changed.
 */
export async function migrate(db: Db): Promise<string[]> {
  return await db.transaction(async (sql) => {
    await sql.rows(`set local statement_timeout = '10min'`);
    const server = await sql.first<{ version: number; text: string }>(
      `select current_setting('server_version_num')::int as version,
         current_setting('server_version') as text`,
    );
    if ((server?.version ?? 0) < POSTGRES_VERSION_MIN) {
      throw new HandoverError(
        'INVALID_INPUT',
        `the database is PostgreSQL ${server?.text}; Handover needs 15 or newer`,
      );
    }
    await sql.rows('select pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
    await sql.rows(
      `create table if not exists schema_migrations (
         name text primary key,
         applied_at timestamptz not null default now())`,
    );
    const applied = new Set(
      (await sql.rows<{ name: string }>('select name from schema_migrations')).map((row) => row.name),
    );
    const known = migrationNames();
    const foreign = [...applied].filter((name) => !known.includes(name));
    if (foreign.length > 0) {
      throw new HandoverError(
        'INVALID_INPUT',
        `the database was changed by a newer Handover (${foreign.sort().join(', ')}); start that version`,
      );
    }
    const missing = known.filter((name) => !applied.has(name));
    for (const name of missing) {
      await sql.rows(readFileSync(new URL(name, MIGRATIONS_DIR), 'utf8'));
      await sql.rows('insert into schema_migrations (name) values ($1)', [name]);
    }
    return missing;
  });
}
