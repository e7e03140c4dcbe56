import { type BackendFigures, drainForecast } from '@limpet/core'
import { html, type Html } from './html.ts'
import { lastDrainText } from './last-drain.ts'
import { clockText, durationText, msText, things } from './written.ts'

/** The state of a backend as the page shows it: an operator's command, or else its health. */
export type ShownState = 'up' | 'drain' | 'maint' | 'down'

export function shownState({ state, healthy, selfDraining }: BackendFigures): ShownState {
  if (state === 'maint') return 'maint'
  if (!healthy) return 'down'
  return state === 'drain' || selfDraining ? 'drain' : 'up'
}

/** The state is a word and a sign, so that it needs no colour. */
const SIGNS: Readonly<Record<ShownState, string>> = { up: '●', drain: '◐', maint: '■', down: '▼' }

/** The badge, for how long the state lasts, and the progress of a drain. */
export function stateCell(backend: BackendFigures, nowMs: number): Html {
  const state = shownState(backend)
  const isSlow = state === 'up' && backend.effectiveWeight < backend.weight
  return html`<span class="badge ${state}"><span aria-hidden="true">${SIGNS[state]}</span> ${state}</span
    >${backend.backup && html` <span class="note">backup</span>`}
    <div class="note">${isSlow ? 'slow start, ' : ''}for ${durationText(nowMs - backend.changedAtMs)}</div>
    ${lastCheck(backend)}${state === 'drain' && drainProgress(backend, nowMs)}${state === 'maint' && stopNote(backend)}`
}

/** The result and the duration of the last check; nothing where no check has ended. */
function lastCheck({ checks: { last } }: BackendFigures): Html | undefined {
  if (last === undefined) return undefined
  const result = last.healthy ? 'check passed' : `check failed: ${last.problem ?? ''}`
  return html`<div class="note">${result}, ${msText(last.durationMs)}</div>`
}

function drainProgress(backend: BackendFigures, nowMs: number): Html {
  const { drain, selfDraining } = backend
  const left = html`<div>${leftText(backend)}</div>`
  const forecast = drainForecast(backend, nowMs)
  if (drain === undefined || forecast === undefined)
    return html`${left}
      <div class="note">${selfDraining ? 'the backend says so itself' : 'no deadline'}</div>`
  const { deadlineAtMs, spreadMs } = drain
  const latestMs = deadlineAtMs + spreadMs
  const { done, endAtMs, isByPace } = forecast
  return html`${left}<progress
      max="100"
      value="${Math.round(100 * done)}"
      aria-label="progress of the drain of ${backend.id}"
    ></progress>
    ${isByPace && html`<div class="note">ends in about ${durationText(endAtMs - nowMs)}</div>`}
    <div class="note">
      ${nowMs > deadlineAtMs && 'sessions move now, '}ends in ${durationText(latestMs - nowMs)} at most, at
      ${clockText(latestMs)} UTC
    </div>
    ${spreadMs > 0 && nowMs <= deadlineAtMs && html`<div class="note">in the last ${durationText(spreadMs)} of it sessions move</div>`}`
}

/** A backend that nothing is left of may be stopped. */
function stopNote({ inFlight, lastDrain }: BackendFigures): Html {
  const note = inFlight === 0 ? 'safe to stop' : `${things(inFlight, 'request')} left`
  const wasDrained = lastDrain !== undefined && lastDrain.outcome !== 'cancelled'
  return html`<div class="note">${note}</div>
    ${wasDrained && html`<div class="note">${lastDrainText(lastDrain)}</div>`}`
}

/** The rest of a drain. */
function leftText({ sessions, sessionsEstimated, tunnels, inFlight }: BackendFigures): string {
  const about = sessionsEstimated ? 'about ' : ''
  const requests = things(inFlight - tunnels, 'request')
  const sockets = tunnels === 0 ? '' : `, ${things(tunnels, 'WebSocket')}`
  return `${sessions === undefined ? '' : `${about}${things(sessions, 'session')}, `}${requests}${sockets} left`
}
