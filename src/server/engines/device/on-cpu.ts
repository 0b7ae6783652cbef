/** Where an engine computes that has so many threads of the processor: `CPU, 4 threads`. */
export const onCpu = (threads: number): string => `CPU, ${threads} ${threads === 1 ? 'thread' : 'threads'}`;
