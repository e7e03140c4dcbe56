import type { BackendFigures } from '@limpet/core'
import { html, type Html } from './html.ts'
import { clockText, durationText, things } from './written.ts'

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
    ${state === 'drain' && drainProgress(backend, nowMs)}${state === 'maint' && stopNote(backend)}`
}

function drainProgress(backend: BackendFigures, nowMs: number): Html {
  const { drain, selfDraining } = backend
  const left = html`<div>${leftText(backend)}</div>`
  if (drain === undefined)
    return html`${left}
      <div class="note">${selfDraining ? 'the backend says so itself' : 'no deadline'}</div>`
  const { startedAtMs, deadlineAtMs, spreadMs } = drain
  const endAtMs = deadlineAtMs + spreadMs
  const passed = Math.min(1, Math.max(0, (nowMs - startedAtMs) / Math.max(1, endAtMs - startedAtMs)))
  return html`${left}<progress
      max="100"
      value="${Math.round(100 * passed)}"
      aria-label="time of the drain of ${backend.id}"
    ></progress>
    <div class="note">
      ${nowMs > deadlineAtMs && 'sessions move now, '}ends in ${durationText(endAtMs - nowMs)} at most, at
      ${clockText(endAtMs)} UTC
    </div>`
}

/** A backend that nothing is left of may be stopped. */
function stopNote({ inFlight }: BackendFigures): Html {
  return inFlight === 0
    ? html`<div class="note">safe to stop</div>`
    : html`<div class="note">${things(inFlight, 'request')} left</div>`
}

/** The rest of a drain. */
function leftText({ sessions, tunnels, inFlight }: BackendFigures): string {
  const requests = things(inFlight - tunnels, 'request')
  const sockets = tunnels === 0 ? '' : `, ${things(tunnels, 'WebSocket')}`
  return `${sessions === undefined ? '' : `${things(sessions, 'session')}, `}${requests}${sockets} left`
}
