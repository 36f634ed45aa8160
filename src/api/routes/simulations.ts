import { rm } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { newId } from '../../platform/ids.ts';
import { jsonOf } from '../../platform/json-object.ts';
import { schemaProblems } from '../../platform/schema-problems.ts';
import { unpackVerified } from '../../scanner/advisories/index.ts';
import { readQuestion } from '../../simulate/ask.ts';
import type { Outcome } from '../../simulate/outcome.ts';
import type { Question } from '../../simulate/question.ts';
import * as contract from '../contract/simulations.ts';
import type { ApiDeps } from '../deps.ts';
import { ApiError } from '../errors.ts';
import { type BoundEndpoint, on, time } from '../handler.ts';
import { withSpooled } from '../spool.ts';

type Asked = ReturnType<(typeof contract.simulationQuestion)['parse']>;

/** What would be, without changing anything. */
export function simulationRoutes(deps: ApiDeps): BoundEndpoint[] {
  async function ask(
    { at, until, exceptions, ...asked }: Asked,
    project?: Parameters<typeof readQuestion>[2],
  ): Promise<Question> {
    const moments = {
      ...(at === undefined ? {} : { at: Date.parse(at) }),
      ...(until === undefined ? {} : { until: Date.parse(until) }),
      ...(exceptions === undefined
        ? {}
        : { exceptions: exceptions.map((one) => ({ ...one, until: Date.parse(one.until) })) }),
    };
    return readQuestion(deps, { ...asked, ...moments } as Parameters<typeof readQuestion>[1], project);
  }

  async function withAdvisories(stream: IncomingMessage, question: Question): Promise<Outcome> {
    return withSpooled(deps.spoolDir, stream, async (sent) => {
      const path = join(deps.spoolDir, `simulated-${newId()}`);
      try {
        await unpackVerified({ from: sent, to: path, name: 'the file that was sent' });
        return await deps.simulator.run({ ...question, advisories: path });
      } finally {
        await rm(path, { force: true });
      }
    });
  }

  return [
    on(contract.simulateProject, async ({ body, project }) => view(await deps.simulator.run(await ask(body, project)))),
    on(contract.simulateAll, async ({ body }) => view(await deps.simulator.run(await ask(body)))),
    on(contract.simulateAdvisories, async ({ query, stream }) => {
      const parsed = contract.simulationQuestion.safeParse(jsonOf(query.question));
      if (!parsed.success)
        throw new ApiError('request_invalid', `question: ${schemaProblems(contract.simulationQuestion, parsed.error)}`);
      return view(await withAdvisories(stream, await ask(parsed.data)));
    }),
  ];
}

function view({ at, computedAt, calendar, ...same }: Outcome): contract.Simulation {
  const copied = structuredClone(same) as Omit<contract.Simulation, 'at' | 'computedAt' | 'calendar'>;
  return {
    at: time(at),
    computedAt: time(computedAt),
    ...copied,
    ...(calendar
      ? { calendar: calendar.map((one) => ({ ...one, at: time(one.at), repositories: [...one.repositories] })) }
      : {}),
  };
}
