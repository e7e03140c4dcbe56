export const HELP = `limpet from: makes a limpet file of another server's configuration

  limpet from nginx.conf
  limpet from haproxy.cfg --out limpet.yaml
  limpet from traefik.yaml | traefik.toml | Caddyfile | ingress.yaml

The file is printed. On the standard error there is a report, with the line of
each directive that was not taken, or that works differently here, and why.
Includes and variables are reported and not followed.

  --format NAME  nginx, haproxy, traefik, caddy or ingress; default: told by the
                 file's name and content
  --out FILE     writes the file there, and not over one that exists
  --force        writes over a file that exists
  --help         prints this

Exit codes: 0 all was taken, 1 something was not (the file is printed all the
same), 2 no file: a wrong command line, a file that cannot be read, is larger
than 4 MiB, is no text, or is cut.
`
