import { type Affinity, createAffinity, requestHead } from '@limpet/core'

/** A pool of `count` backends that all have had requests. */
export async function busyPool(count: number): Promise<Affinity> {
  const affinity = createAffinity({
    backends: Array.from({ length: count }, (_, index) => ({
      id: `w${index}`,
      url: `http://10.0.${index >> 8}.${index & 255}:8080`,
    })),
    secrets: ['bench-0123456789abcdefghijklmnopqrstuvwxyz'],
  })
  const headers = { host: 'shop.example.com' }
  const rawHeaders = ['Host', 'shop.example.com']
  const head = requestHead({ method: 'GET', url: '/', httpVersion: '1.1', headers, rawHeaders, socket: {} })
  for (let request = 0; request < 5 * count; request += 1) {
    const lease = await affinity.select(head)
    lease.responded({ statusCode: 200, headers: {} })
    lease.release()
  }
  return affinity
}
