import { monitorEventLoopDelay } from 'node:perf_hooks'
import { createNoopMeter } from '@opentelemetry/api'
import type { Meter } from '@opentelemetry/api'
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus'
import { MeterProvider } from '@opentelemetry/sdk-metrics'
import type { FastifyInstance } from 'fastify'

export interface Metrics extends AsyncDisposable {
  readonly meter: Meter
  /** Counts and times requests by route; does nothing when metrics are off. */
  observeRequests(app: FastifyInstance): void
}

/** OpenTelemetry metrics, for Prometheus to fetch from a port of their own. Without a port there are none and cost nothing. */
export async function createMetrics(options: { host: string; port: number | undefined }): Promise<Metrics> {
  if (options.port === undefined) {
    return {
      meter: createNoopMeter(),
      observeRequests: () => undefined,
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }
  }
  const exporter = new PrometheusExporter({
    host: options.host,
    port: options.port,
    preventServerStart: true,
    withoutTargetInfo: true,
    withoutScopeInfo: true,
  })
  const provider = new MeterProvider({ readers: [exporter] })
  await exporter.startServer()
  const meter = provider.getMeter('bascule')
  observeProcess(meter)
  return {
    meter,
    observeRequests(app) {
      observeRequests(app, meter)
    },
    async [Symbol.asyncDispose]() {
      await provider.shutdown()
    },
  }
}

function observeRequests(app: FastifyInstance, meter: Meter): void {
  const duration = meter.createHistogram('http_server_request_duration_seconds', {
    unit: 's',
    description: 'Time to answer a request',
    advice: { explicitBucketBoundaries: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10] },
  })
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'other'
    duration.record(reply.elapsedTime / 1000, { method: request.method, route, status: reply.statusCode })
  })
}

function observeProcess(meter: Meter): void {
  const delay = monitorEventLoopDelay()
  delay.enable()
  meter
    .createObservableGauge('process_memory_rss_bytes', { unit: 'By', description: 'Memory of this process' })
    .addCallback((result) => {
      result.observe(process.memoryUsage.rss())
    })
  meter
    .createObservableGauge('event_loop_delay_p99_seconds', {
      unit: 's',
      description: 'How late the event loop is, 99th percentile',
    })
    .addCallback((result) => {
      result.observe(delay.percentile(99) / 1e9)
      delay.reset()
    })
}
