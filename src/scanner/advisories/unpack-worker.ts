import { existsSync } from 'node:fs';
import { answerTasks } from '../../platform/answer-tasks.ts';
import { messageOf } from '../../platform/errors.ts';
import { AdvisoryDatabaseError } from './errors.ts';
import { unpackDatabase } from './pack.ts';
import type { Unpacked, UnpackTask } from './unpack-apart.ts';
import { verifyAdvisoryDatabase } from './verify.ts';

async function unpack({ from, to, name }: UnpackTask): Promise<Unpacked> {
  try {
    await unpackDatabase(from, to, name);
    return { version: verifyAdvisoryDatabase(to, name) };
  } catch (error) {
    if (error instanceof AdvisoryDatabaseError) return { code: error.code, message: error.message };
    const code = existsSync(from) ? 'not_a_database' : 'not_found';
    return { code, message: `cannot read ${name}: ${messageOf(error)}` };
  }
}

answerTasks(unpack);
