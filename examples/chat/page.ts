/** The front page, and that of every room: which it is, the address tells. */
export const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>chat</title>
<style>
  body { max-width: 34rem; margin: 2rem auto; padding: 0 1.5rem; font: 17px/1.5 system-ui, sans-serif; color: #212529 }
  form { display: flex; gap: .6rem }
  input, button { font: inherit; padding: .45rem .8rem; border: 1px solid #adb5bd; border-radius: .4rem }
  input { flex: 1; min-width: 0 }
  ul { list-style: none; padding: 0 }
</style>
<h1></h1>
<p></p>
<ul></ul>
<form><input required autofocus autocomplete="off" aria-label="what to say"><button></button></form>
<script>
  const [h1, p, ul, form, input, button] =
    ['h1', 'p', 'ul', 'form', 'input', 'button'].map(name => document.querySelector(name))
  const [, room] = /^\\/rooms\\/([\\w-]+)$/.exec(location.pathname) ?? []
  let socket
  if (room === undefined) {
    h1.textContent = 'chat'
    p.textContent = 'Which room?'
    input.pattern = '[A-Za-z0-9_\\\\-]{1,40}'
    button.textContent = 'Enter'
  } else {
    h1.textContent = room
    input.maxLength = 500
    button.textContent = 'Say'
    connect()
  }
  form.addEventListener('submit', event => {
    event.preventDefault()
    if (room === undefined) location.href = '/rooms/' + input.value
    else if (socket.readyState === WebSocket.OPEN) {
      socket.send(input.value)
      input.value = ''
    }
  })
  function connect() {
    socket = new WebSocket(location.href.replace(/^http/, 'ws').replace(/#.*/, ''))
    socket.onmessage = ({ data }) => {
      const { backend, here, text } = JSON.parse(data)
      if (text === undefined) p.textContent = backend + ' has this room in its memory. Guests here: ' + here
      else ul.appendChild(document.createElement('li')).textContent = text
    }
    // The backend has gone, or the gateway. The room is elsewhere by now.
    socket.onclose = () => {
      p.textContent = 'connecting …'
      setTimeout(connect, 500)
    }
  }
</script>
</html>
`
