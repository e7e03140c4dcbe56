import { describe } from 'vitest'
import { appCookies } from './app-cookies.ts'
import { asyncContext } from './async-context.ts'
import { attempts } from './attempts.ts'
import { backendFaults } from './backend-faults.ts'
import { bodies } from './bodies.ts'
import { bodiless } from './bodiless.ts'
import { bodyLimit } from './body-limit.ts'
import { cacheControl } from './cache-control.ts'
import { clientAborts } from './client-aborts.ts'
import { closing } from './closing.ts'
import { cookieLifetime } from './cookie-lifetime.ts'
import { cookieReading } from './cookie-reading.ts'
import { cookieStripping } from './cookie-stripping.ts'
import { cookieWriting } from './cookie-writing.ts'
import { crashSafety } from './crash-safety.ts'
import { deadProcesses } from './dead-processes.ts'
import { decisions } from './decisions.ts'
import { discovery } from './discovery.ts'
import { drain } from './drain.ts'
import { earlyResponses } from './early-responses.ts'
import { expectations } from './expectations.ts'
import { figures } from './figures.ts'
import { forwarding } from './forwarding.ts'
import { framing } from './framing.ts'
import { goingAway } from './going-away.ts'
import { handshakeEdits } from './handshake-edits.ts'
import type { Harness } from './harness.ts'
import { hash } from './hash.ts'
import { headerEdits } from './header-edits.ts'
import { health } from './health.ts'
import { hopByHop } from './hop-by-hop.ts'
import { hosts } from './hosts.ts'
import { keepAlive } from './keep-alive.ts'
import { limits } from './limits.ts'
import { nominatedFields } from './nominated-fields.ts'
import { ownAnswers } from './own-answers.ts'
import { pins } from './pins.ts'
import { policies } from './policies.ts'
import { pools } from './pools.ts'
import { redispatch } from './redispatch.ts'
import { refusedUpgrades } from './refused-upgrades.ts'
import { remotePolicies } from './remote-policies.ts'
import { requestEdits } from './request-edits.ts'
import { requestInfo } from './request-info.ts'
import { responseAdditions } from './response-additions.ts'
import { soundStart } from './start.ts'
import { stickiness } from './stickiness.ts'
import { streaming } from './streaming.ts'
import { targets } from './targets.ts'
import { timeouts } from './timeouts.ts'
import { tls } from './tls.ts'
import { tunnelEnds } from './tunnel-ends.ts'
import { tunnelTimeouts } from './tunnel-timeouts.ts'
import { tunnels } from './tunnels.ts'
import { unixSockets } from './unix-sockets.ts'
import { upgradeAborts } from './upgrade-aborts.ts'
import { upgradeFaults } from './upgrade-faults.ts'
import { upgradeFields } from './upgrade-fields.ts'
import { upgradeRequests } from './upgrade-requests.ts'
import { upgrades } from './upgrades.ts'
import { webSocketContext } from './websocket-context.ts'

/** Requirements on every adapter, as seen from outside: real sockets, scripted backends. */
export function proxyContract(harness: Harness): void {
  describe(`a gateway with ${harness.name}`, () => {
    const start = soundStart(harness)
    // Sessions.
    stickiness(start)
    pools(start)
    drain(start)
    figures(start)
    health(start)
    decisions(start)
    pins(start)
    responseAdditions(start)
    discovery(start)
    limits(start)
    policies(start)
    hash(start)
    remotePolicies(start)
    // The cookie, and the fields beside it.
    cookieWriting(start)
    cookieReading(start)
    cookieStripping(start)
    cookieLifetime(start)
    appCookies(start)
    cacheControl(start)
    // Messages.
    framing(start)
    hosts(start)
    targets(start)
    hopByHop(start)
    forwarding(start)
    headerEdits(start)
    requestEdits(start)
    nominatedFields(start)
    handshakeEdits(start)
    expectations(start)
    bodies(start)
    bodyLimit(start)
    earlyResponses(start)
    bodiless(start)
    streaming(start)
    // Failures.
    redispatch(start)
    attempts(start)
    keepAlive(start)
    timeouts(start)
    tls(start)
    unixSockets(start)
    backendFaults(start)
    clientAborts(start)
    ownAnswers(start)
    crashSafety(start)
    deadProcesses(start)
    // The application around it.
    asyncContext(start)
    webSocketContext(start)
    requestInfo(start)
    // WebSockets.
    upgrades(start)
    upgradeFields(start)
    refusedUpgrades(start)
    upgradeRequests(start)
    upgradeFaults(start)
    upgradeAborts(start)
    tunnels(start)
    tunnelEnds(start)
    tunnelTimeouts(start)
    goingAway(start)
    closing(start)
  })
}
