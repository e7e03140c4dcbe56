import { type Action, type ActionName, consequences, DEFAULT_SPREAD } from './action.ts'
import { html, type Html } from './html.ts'
import { PageError } from './page-error.ts'
import { addressText } from './written.ts'

const TITLES: Readonly<Record<ActionName, string>> = {
  ready: 'Make ready',
  drain: 'Drain',
  maint: 'Put into maintenance',
  weight: 'Change the weight of',
}

/** The question before a change. It changes nothing itself, so it may be linked to. */
export function confirmation(
  action: Action,
  { back, token }: { readonly back: string; readonly token: string },
): Html {
  const { name, backend, pool, value, spread } = action
  const what = html`<input type="hidden" name="do" value="${name}" /><input
      type="hidden"
      name="pool"
      value="${pool.pool}"
    /><input type="hidden" name="backend" value="${backend.id}" /><input
      type="hidden"
      name="back"
      value="${back}"
    />`
  return html`<h1>${TITLES[name]} ${backend.id}</h1>
    <p class="note">pool ${pool.pool}, ${addressText(backend)}</p>
    ${valueForm(action, what)}
    ${answer(action, html`<form method="post">${what}<input type="hidden" name="value" value="${value}" /><input type="hidden" name="spread" value="${spread}" /><input type="hidden" name="token" value="${token}" /><button class="go">${TITLES[name]} ${backend.id}</button> <a href="${back}">Cancel</a></form>`)}`
}

/** The value is shown with its consequence first, and then confirmed. */
function valueForm({ name, value, spread }: Action, what: Html): Html | undefined {
  if (name !== 'drain' && name !== 'weight') return undefined
  const label = name === 'drain' ? 'Deadline, as 90s, 10m or 2h' : 'Weight, 0 to 256'
  return html`<form>
    ${what}<label for="value">${label}</label>
    <input id="value" name="value" value="${value}" size="6" autocomplete="off" />
    ${name === 'drain' && spreadField(spread)}
    <button>Show consequence</button>
  </form>`
}

function spreadField(spread: string): Html {
  return html`<label for="spread">From then on sessions move over, as 0s or 30s</label>
    <input id="spread" name="spread" value="${spread || DEFAULT_SPREAD}" size="6" autocomplete="off" />`
}

function answer(action: Action, form: Html): Html {
  try {
    return html`<ul class="consequences">
        ${consequences(action).map(text => html`<li>${text}</li>`)}
      </ul>
      ${form}`
  } catch (error) {
    if (!(error instanceof PageError)) throw error
    return html`<p class="error">${error.message}</p>
      <p><a href="?">Back to the list</a></p>`
  }
}
