export const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>notes</title>
<h1>notes</h1>
<p></p>
<ul></ul>
<form><input required autofocus maxlength="200" aria-label="text of a note"><button>Add</button></form>
<script src="/socket.io/socket.io.js"></script>
<script>
  const [p, ul, form, input] = ['p', 'ul', 'form', 'input'].map(name => document.querySelector(name))
  const socket = io()
  function show({ backend, notes }) {
    p.textContent = 'at ' + backend + ', by ' + socket.io.engine.transport.name
    ul.replaceChildren(...notes.map(note => Object.assign(document.createElement('li'), { textContent: note })))
  }
  socket.on('connect', () => socket.emit('read', show))
  socket.on('disconnect', () => (p.textContent = 'connecting …'))
  form.addEventListener('submit', event => {
    event.preventDefault()
    socket.emit('add', input.value, show)
    input.value = ''
  })
</script>
</html>
`
