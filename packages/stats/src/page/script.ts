/**
 * The script of the list. It asks for the same page, and puts the part that lives in place of the old one. XMLHttpRequest
 * parses HTML without a sink of Trusted Types, so the page needs no policy.
 */
export const SCRIPT = `'use strict'
{
  const STEP_MS = 2000
  const find = id => document.getElementById(id)
  const filter = find('filter'), pause = find('pause'), note = find('note')
  let timer, request, isPaused = false
  const load = (query, isNew) => {
    clearTimeout(timer)
    request?.abort()
    const asked = request = new XMLHttpRequest()
    const part = new URLSearchParams(query)
    part.set('part', 'live')
    asked.open('GET', '?' + part)
    asked.responseType = 'document'
    asked.timeout = 10000
    asked.onload = () => {
      const next = asked.status === 200 && asked.response?.getElementById('live')
      if (next && (isNew || getSelection().type !== 'Range')) show(next)
      if (next) note.textContent = ''
      else late()
      plan()
    }
    asked.onerror = asked.ontimeout = () => { late(); plan() }
    if (isNew) history.replaceState(null, '', query + location.hash)
    asked.send()
  }
  const late = () => { note.textContent = 'no new figures: the gateway does not respond' }
  const show = next => {
    const held = document.activeElement?.id
    find('live').replaceWith(document.adoptNode(next))
    if (held && document.activeElement?.id !== held) find(held)?.focus({ preventScroll: true })
  }
  const plan = () => {
    clearTimeout(timer)
    if (!isPaused && !document.hidden) timer = setTimeout(() => load(location.search), STEP_MS)
  }
  const search = () => {
    const query = new URLSearchParams(location.search)
    for (const key of [...query.keys()]) if (key.startsWith('page-')) query.delete(key)
    query.set('filter', filter.value)
    load('?' + query, true)
  }
  const toggle = () => {
    isPaused = !isPaused
    pause.textContent = isPaused ? 'Resume' : 'Pause'
    if (!isPaused) load(location.search)
    else clearTimeout(timer)
  }
  filter?.addEventListener('input', search)
  filter?.form.addEventListener('submit', event => { event.preventDefault(); search() })
  pause.hidden = false
  pause.addEventListener('click', toggle)
  document.addEventListener('click', event => {
    const link = event.target.closest('a[data-view]')
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return
    event.preventDefault()
    load(link.search || '?', true)
  })
  document.addEventListener('visibilitychange', () => { if (!isPaused && !document.hidden) load(location.search) })
  document.addEventListener('keydown', event => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches('input')) return
    if (event.key === '/' && filter) { event.preventDefault(); filter.focus() }
    if (event.key === 'r') load(location.search)
    if (event.key === 'p') toggle()
    if (event.key === 'j' || event.key === 'k') {
      const names = [...document.querySelectorAll('tbody th a')]
      const at = names.findIndex(name => name.closest('tr').contains(document.activeElement))
      names[event.key === 'j' ? Math.min(at + 1, names.length - 1) : Math.max(at - 1, 0)]?.focus()
    }
  })
  plan()
}
`
