import { z } from 'zod';
import { policyLayerSchema } from './policy-layer.ts';

/** The published JSON schema of policy documents: any of the fields. */
export function policyJsonSchema(): Record<string, unknown> {
  return {
    ...z.toJSONSchema(policyLayerSchema, { io: 'input' }),
    title: 'Breakwater policy',
    description: 'What a project, or the installation, says of its policy; the rest is inherited.',
  };
}
