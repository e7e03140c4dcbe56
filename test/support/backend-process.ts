import { onTestFinished } from 'vitest'
import { BackendProcess } from './shop-process.ts'

/** A backend that can die: `shop.ts` in a process of its own, killed at the latest when the test ends. */
export async function startBackendProcess(id: string): Promise<BackendProcess> {
  const backend = new BackendProcess(id)
  onTestFinished(() => backend.kill())
  await backend.listening
  return backend
}
