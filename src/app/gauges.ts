import { Gauge, type Registry } from 'prom-client';

/** Registers a gauge that is read when somebody asks for the metrics; while there is no value it shows none. */
export type AddGauge = (name: string, help: string, value: () => number | undefined) => void;

/** Gauges without labels in a registry. */
export function gaugesIn(registry: Registry): AddGauge {
  return (name, help, value) => {
    const gauge: Gauge = new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        const now = value();
        if (now === undefined) gauge.remove();
        else gauge.set(now);
      },
    });
  };
}
