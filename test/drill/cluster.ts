import { ApiServer } from '../support/api-server.ts'
import { type SlicePod, sliceOf } from '../support/endpoint-slice.ts'
import { BackendProcess } from '../support/shop-process.ts'

/** When a pod of the drill was deleted, and when its process ended. Milliseconds since the epoch. */
export interface PodEnd {
  readonly deletedMs: number
  readonly endedMs: number
}

/**
 * A cluster of one service: shops in processes of their own are its pods, and a scripted API server says of each what
 * the control plane would say. Each pod has a slice of its own, for on one machine pods differ in their ports.
 */
export class Cluster {
  readonly api: ApiServer
  readonly ends = new Map<string, PodEnd>()
  readonly #pods = new Map<string, BackendProcess>()

  private constructor(api: ApiServer) {
    this.api = api
  }

  static async start(...names: readonly string[]): Promise<Cluster> {
    const cluster = new Cluster(await ApiServer.start())
    await Promise.all(names.map(async name => cluster.create(name)))
    return cluster
  }

  /** A new pod: its endpoint is there before it is ready. */
  async create(name: string): Promise<void> {
    const pod = new BackendProcess(name)
    this.#pods.set(name, pod)
    await pod.listening
    this.#say(pod, { ready: false })
    this.#say(pod)
  }

  /**
   * Deletes a pod: it terminates and serves as long as `preStop` takes, then its process ends, and then the control plane
   * learns of it.
   */
  async delete(name: string, preStop: () => Promise<unknown>): Promise<void> {
    const pod = this.#pods.get(name)
    if (pod === undefined) throw new Error(`there is no pod ${name}`)
    const deletedMs = Date.now()
    this.#say(pod, { terminating: true })
    await preStop()
    const endedMs = Date.now()
    await pod.kill()
    this.ends.set(name, { deletedMs, endedMs })
    this.#say(pod, { terminating: true, ready: false })
    this.api.delete(name)
    this.#pods.delete(name)
  }

  async close(): Promise<void> {
    await Promise.all([...this.#pods.values()].map(async pod => pod.kill()))
    await this.api.close()
  }

  #say({ id, port }: BackendProcess, conditions: Partial<SlicePod> = {}): void {
    const ports = [{ name: 'http', port, protocol: 'TCP' }]
    this.api.set(sliceOf(id, [{ name: id, address: '127.0.0.1', ...conditions }], { ports }))
  }
}
