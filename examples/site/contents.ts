/** A page of the site. */
export interface Entry {
  readonly title: string
  /** Where it is on the site, without an extension. */
  readonly path: string
  /** The Markdown file that it shows, from the root of the repository. */
  readonly source: string
}

export interface Section {
  readonly title: string
  readonly entries: readonly Entry[]
}

/** A page that is written for the site. */
function page(path: string, title: string): Entry {
  return { title, path, source: `examples/site/pages/${path}.md` }
}

/** A page of the repository, shown as it is. */
function shown(path: string, title: string, source: string): Entry {
  return { title, path, source }
}

/** The pages of the site, in the order of its sidebar. The generated reference follows them. */
export const CONTENTS: readonly Section[] = [
  {
    title: 'Begin',
    entries: [
      page('index', 'Start here'),
      page('choosing', 'Choosing a method'),
      page('moving-in', 'Moving in'),
      shown('repository', 'Features and packages', 'README.md'),
    ],
  },
  {
    title: 'Policies',
    entries: [
      page('policies/cookie', 'Cookie'),
      page('policies/prefix', 'Prefix'),
      page('policies/learn', 'Learn'),
      page('policies/route', 'Route'),
      page('policies/hash', 'Hash'),
    ],
  },
  {
    title: 'Operation',
    entries: [
      page('operations', 'Operations'),
      page('troubleshooting', 'Troubleshooting'),
      page('security', 'Security'),
      page('scale', 'At scale'),
      shown('kill-test', 'The kill test', 'packages/gateway/KILL-TEST.md'),
    ],
  },
  {
    title: 'Recipes',
    entries: [
      page('recipes/nest', 'Nest'),
      page('recipes/socket-io', 'Socket.IO'),
      page('recipes/signalr', 'SignalR'),
      page('recipes/blazor', 'Blazor'),
      page('recipes/php', 'PHP'),
      page('recipes/tomcat', 'Tomcat'),
      page('recipes/mcp', 'Model Context Protocol'),
      page('recipes/jupyterhub', 'JupyterHub'),
    ],
  },
  {
    title: 'Packages',
    entries: [
      shown('packages/gateway', 'limpet, the command', 'packages/gateway/README.md'),
      shown('packages/fastify', 'Fastify', 'packages/fastify/README.md'),
      shown('packages/express', 'Express', 'packages/express/README.md'),
      shown('packages/koa', 'Koa', 'packages/koa/README.md'),
      shown('packages/http-proxy', 'node:http, and adapters', 'packages/http-proxy/README.md'),
      shown('packages/core', 'Core', 'packages/core/README.md'),
      shown('packages/kubernetes', 'Kubernetes discovery', 'packages/kubernetes/README.md'),
      shown('packages/redis', 'Redis', 'packages/redis/README.md'),
      shown('packages/metrics', 'Metrics', 'packages/metrics/README.md'),
      shown('packages/stats', 'Stats', 'packages/stats/README.md'),
      shown(
        'packages/coming-from-fastify-http-proxy',
        'Coming from @fastify/http-proxy',
        'packages/fastify/COMING-FROM-HTTP-PROXY.md',
      ),
      shown(
        'packages/coming-from-http-proxy-middleware',
        'Coming from http-proxy-middleware',
        'packages/express/COMING-FROM-HTTP-PROXY-MIDDLEWARE.md',
      ),
    ],
  },
  {
    title: 'Examples',
    entries: [
      shown('examples/configs', 'Configurations', 'examples/configs/README.md'),
      shown('examples/deploy', 'Container and service', 'examples/deploy/README.md'),
      shown('examples/kubernetes', 'On Kubernetes', 'examples/kubernetes/README.md'),
      shown('examples/grafana', 'Grafana', 'examples/grafana/README.md'),
      shown('examples/session-stores', 'Session stores', 'examples/session-stores/README.md'),
      shown('examples/inference', 'Inference', 'examples/inference/README.md'),
    ],
  },
  {
    title: 'Project',
    entries: [
      shown('design', 'Design', 'DESIGN.md'),
      shown('contributing', 'Contributing', 'CONTRIBUTING.md'),
      shown('reporting', 'Reporting a vulnerability', 'SECURITY.md'),
    ],
  },
]
