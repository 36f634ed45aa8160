import { CodedError } from '../platform/errors.ts';

/** `simulation_invalid`: what was asked for cannot be. `simulation_busy`: one runs already. `simulation_failed`: it came to no end. */
export class SimulationError extends CodedError<'simulation_invalid' | 'simulation_busy' | 'simulation_failed'> {}
