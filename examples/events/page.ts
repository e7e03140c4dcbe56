export const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>events</title>
<h1>events</h1>
<p></p>
<ul></ul>
<form><input required autofocus maxlength="200" aria-label="text of an event"><button>Send</button></form>
<script>
  const [p, ul, form, input] = ['p', 'ul', 'form', 'input'].map(name => document.querySelector(name))
  const source = new EventSource('/events')
  source.onopen = () => (p.textContent = 'connected')
  source.onerror = () => (p.textContent = 'connecting …')
  source.onmessage = ({ data, lastEventId }) => {
    const { backend, text } = JSON.parse(data)
    ul.appendChild(document.createElement('li')).textContent = lastEventId + ' at ' + backend + ': ' + text
  }
  form.addEventListener('submit', event => {
    event.preventDefault()
    fetch('/events', { method: 'POST', body: new URLSearchParams({ text: input.value }) })
    input.value = ''
  })
</script>
</html>
`
