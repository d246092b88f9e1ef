import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Module } from '@nestjs/common';
import { loadConfig } from '@hookline/config';
import { silentLogger } from './logger.js';
import { ProblemError } from './problem.js';
import { commonSections, type RoleParts } from './role.js';
import { startRole, type RunningRole } from './start-role.js';

@Controller()
class Things {
  @Get('thing')
  thing(): never {
    throw new ProblemError(409, 'taken', 'The thing is taken', { thing: 7 }, { 'retry-after': '3' });
  }

  @Get('broken')
  broken(): never {
    throw new Error('a secret detail');
  }
}

@Module({ controllers: [Things] })
class ThingsModule {}

describe('startRole', () => {
  const running: RunningRole[] = [];
  afterEach(async () => {
    for (const role of running.splice(0)) await role.stop();
  });

  async function start(
    parts: Partial<RoleParts> = {},
    unready?: () => string | undefined,
    port = 0,
  ): Promise<RunningRole> {
    const config = loadConfig(commonSections, { HOOKLINE_HTTP_HOST: '127.0.0.1', HOOKLINE_HTTP_PORT: String(port) });
    const role = await startRole(
      {
        name: 'things',
        sections: {},
        build: ({ health }) => {
          if (unready) health.addReadiness('kafka', unready);
          return { module: ThingsModule, ...parts };
        },
      },
      config,
      silentLogger,
    );
    running.push(role);
    return role;
  }

  it('serves health and metrics with the role', async () => {
    const { url } = await start();
    expect(await (await fetch(`${url}/healthz`)).json()).toEqual({ ok: true, checks: {} });
    expect(await (await fetch(`${url}/readyz`)).json()).toEqual({ ok: true, checks: { running: 'ok' } });
    const metrics = await fetch(`${url}/metrics`);
    expect(metrics.headers.get('content-type')).toContain('text/plain');
    expect(await metrics.text()).toMatch(/nodejs_eventloop_lag_p99_seconds\{role="things"\}/);
  });

  it('says what is not ready, with 503, and stays alive', async () => {
    const { url } = await start({}, () => 'no broker answers');
    const ready = await fetch(`${url}/readyz`);
    expect(ready.status).toBe(503);
    expect(await ready.json()).toMatchObject({ ok: false, checks: { kafka: 'no broker answers', running: 'ok' } });
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  });

  it('answers with problems, and keeps the unforeseen to itself', async () => {
    const { url } = await start();
    const taken = await fetch(`${url}/thing`);
    expect(taken.headers.get('content-type')).toBe('application/problem+json');
    expect(taken.headers.get('retry-after')).toBe('3');
    expect(await taken.json()).toEqual({
      type: 'https://hookline.dev/problems/taken',
      title: 'The thing is taken',
      status: 409,
      thing: 7,
    });
    const missing = await fetch(`${url}/nothing`);
    expect(await missing.json()).toMatchObject({ status: 404, type: 'https://hookline.dev/problems/not-found' });
    const broken = await fetch(`${url}/broken`);
    expect(broken.status).toBe(500);
    expect(await broken.text()).not.toContain('secret');
  });

  it('drains before the server is closed, and closes after', async () => {
    const seen: string[] = [];
    const role = await start({
      start: async () => void seen.push('start'),
      drain: async () => {
        const ready = await fetch(`${role.url}/readyz`);
        seen.push(`drain ${ready.status}`);
      },
      close: async () => {
        const answer = await fetch(`${role.url}/healthz`).catch(() => undefined);
        seen.push(`close ${answer?.status ?? 'refused'}`);
      },
    });
    await role.started;
    await Promise.all([role.stop(), role.stop()]);
    expect(seen).toEqual(['start', 'drain 503', 'close refused']);
  });

  it('closes even if the drain fails, and says so', async () => {
    let closed = false;
    const role = await start({
      drain: () => Promise.reject(new Error('stuck')),
      close: async () => void (closed = true),
    });
    running.pop();
    await expect(role.stop()).rejects.toThrow('stuck');
    expect(closed).toBe(true);
  });

  it('rejects when the port is in use', async () => {
    const { url } = await start();
    await expect(start({}, undefined, Number(new URL(url).port))).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });
});
