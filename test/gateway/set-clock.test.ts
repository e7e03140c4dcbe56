import { expect, test } from 'vitest'
import { startBackends } from '../support/backend.ts'
import { fileOf } from '../support/gateway-file.ts'
import { GatewayProcess } from '../support/gateway-process.ts'

/** As when a machine gets its time from the network long after the start. */
const HOUR_MS = 3_600_000
/** The clock of the process is set with the signal. */
const SET_CLOCK = `
const now = Date.now
let setByMs = 0
Date.now = () => now() + setByMs
process.on('SIGUSR2', () => { setByMs += ${HOUR_MS} })`

test('a clock that is set ends no learned session', async () => {
  const backends = await startBackends('w1', 'w2', 'w3')
  const file = fileOf(backends, {}, { affinity: [{ learn: { header: 'X-Session', ttl: '30m' } }] })
  const preload = `--import=data:text/javascript,${encodeURIComponent(SET_CLOCK)}`
  const gateway = await GatewayProcess.start(file, [], { NODE_OPTIONS: preload })
  for (const backend of backends)
    backend.script = ({ response }) => void response.setHeader('X-Session', 's').end(backend.options.id)
  const ask = async (): Promise<string> => (await gateway.ask({ headers: { 'X-Session': 's' } })).text
  const home = await ask()
  const { time: before } = await gateway.logged('request')
  gateway.signal('SIGUSR2')
  let count = 1
  // The log has the time of the clock.
  for (let time = 0; time < Number(before) + HOUR_MS; count += 1) {
    expect(await ask()).toBe(home)
    time = Number((await gateway.logged('request', count + 1))['time'])
  }
  for (let times = 0; times < 3; times += 1) expect(await ask()).toBe(home)
})
