// Runs a handler in JavaScript under the Lambda Runtime API.
//
// What a handler sees (context, console, environment) and what a caller sees of
// its errors are as AWS documents them for its managed runtimes (Lambda developer
// guide: "Define Lambda function handler in Node.js", "Using the Lambda context
// object", "Log and monitor Node.js Lambda functions", "Response streaming").
//
// It speaks HTTP over a plain socket, which is held by the event loop only while
// an answer of the API is waited for: when a handler has nothing left to do,
// Node's beforeExit says so.

import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createConnection } from 'node:net';
import path from 'node:path';
import { Writable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import util from 'node:util';

const runtime = '/2018-06-01/runtime/';
const streaming = Symbol.for('aws.lambda.runtime.handler.streaming');
const highWaterMark = Symbol.for('aws.lambda.runtime.handler.streaming.highWaterMark');
const env = process.env;

// parallel is how many invocations are served at once (developer guide: "Node.js runtime
// for Lambda Managed Instances"), here by one thread: AWS has more. Nobody knows then which
// of them has nothing left to do, so that a callback answers at once, and what never
// answers times out; and what nothing catches ends all.
const parallel = Number(env.AWS_LAMBDA_MAX_CONCURRENCY) || 1;

let requestID = () => undefined; // of the invocation under way, for log lines

// An error of the handler's set-up, in Lambda's own words.
class Fault extends Error {
  constructor(kind, message, cause) {
    super(message);
    this.name = `Runtime.${kind}`;
    if (cause?.stack) this.stack = `${this.name}: ${message}\n${cause.stack}`;
  }
}

// The Runtime API over one connection, one request at a time.
class API {
  constructor(address) {
    const colon = address.lastIndexOf(':');
    this.queue = Promise.resolve();
    this.chunks = []; // that have come, of size bytes; nothing is done before there are need
    this.size = this.need = 0;
    this.socket = createConnection({ host: address.slice(0, colon), port: Number(address.slice(colon + 1)), noDelay: true });
    this.socket.unref();
    this.socket.on('data', (chunk) => {
      this.chunks.push(chunk);
      this.size += chunk.length;
      this.look();
    });
    const end = (why) => {
      process.stderr.write(`the Runtime API has hung up: ${why}\n`);
      process.exit(1);
    };
    this.socket.on('error', end);
    this.socket.on('close', () => end('closed'));
  }

  // ask sends a request and returns its answer: status, headers, body. Asks wait
  // for each other.
  ask(method, to, body = '', headers = {}) {
    const answer = this.queue.then(() => {
      const bytes = Buffer.from(body);
      this.socket.write(head(method, to, { 'Content-Length': bytes.length, ...headers }));
      this.socket.write(bytes);
      return this.answer();
    });
    this.queue = answer.catch(() => {});
    return answer;
  }

  // answer waits for one.
  answer() {
    this.socket.ref();
    return new Promise((resolve) => {
      this.resolve = resolve;
      this.look();
    });
  }

  // look takes an answer from what has come, once that is whole.
  look() {
    if (!this.resolve || this.size < Math.max(1, this.need)) return;
    const all = Buffer.concat(this.chunks);
    this.chunks = [all];
    const end = all.indexOf('\r\n\r\n');
    if (end < 0) return;
    const [first, ...lines] = all.toString('utf8', 0, end).split('\r\n');
    const headers = {};
    for (const line of lines) {
      const colon = line.indexOf(':');
      headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
    }
    const from = end + 4, to = from + Number(headers['content-length'] ?? 0);
    this.need = to;
    if (all.length < to) return;
    const body = all.toString('utf8', from, to), resolve = this.resolve;
    this.chunks = [all.subarray(to)];
    this.size -= to;
    this.need = 0;
    this.resolve = null;
    this.socket.unref();
    resolve({ status: Number(first.split(' ')[1]), headers, body });
  }

  // next waits for an event.
  async next() {
    this.waits = true;
    const got = await this.ask('GET', 'invocation/next');
    this.waits = false;
    if (got.status !== 200) {
      process.stderr.write(`no event from the Runtime API: ${got.status} ${got.body}\n`);
      process.exit(1);
    }
    return got;
  }

  // fail reports an error of an invocation or of init.
  fail(to, error, headers = {}) {
    const shown = described(error);
    return this.ask('POST', to, JSON.stringify(shown), {
      'Content-Type': 'application/json', 'Lambda-Runtime-Function-Error-Type': shown.errorType, ...headers,
    });
  }
}

function head(method, to, headers) {
  let text = `${method} ${runtime}${to} HTTP/1.1\r\nHost: localhost\r\n`;
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) text += `${name}: ${String(value).replace(/[\r\n]+/g, ' ')}\r\n`;
  }
  return text + '\r\n';
}

// described is an error as callers get it.
function described(error) {
  if (util.types.isNativeError(error) || (error?.name && error?.message && error?.stack)) {
    return { errorType: String(error.name), errorMessage: String(error.message), trace: String(error.stack).split('\n') };
  }
  return { errorType: typeof error, errorMessage: String(error), trace: [] };
}

const asError = (e) => (e instanceof Error ? e : new Error(e));

// The console. A message is one line of tab-separated time, request id, level and
// text, or one object where the function is configured for JSON.

const levels = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'];
const inJSON = env.AWS_LAMBDA_LOG_FORMAT?.toUpperCase() === 'JSON';

function write(level, args) {
  const time = new Date().toISOString();
  const line = inJSON ? jsonLine(time, level, args) : `${time}\t${requestID()}\t${level}\t${util.format(...args)}`;
  process.stdout.write(line + '\n');
}

function jsonLine(timestamp, level, args) {
  const line = { timestamp, level, requestId: requestID() };
  if (args.length === 1) {
    try {
      return JSON.stringify({ ...line, message: args[0] }, (_, v) => (v instanceof Error ? { ...fields(v), ...v } : v));
    } catch { // a cycle, a BigInt
    }
  }
  const error = args.length > 1 && args.find((a) => a instanceof Error);
  return JSON.stringify({ ...line, message: util.format(...args), ...(error ? fields(error) : {}) });
}

const fields = (e) => ({ errorType: e.constructor?.name ?? 'UnknownError', errorMessage: e.message, stackTrace: String(e.stack).split('\n') });

function setUpConsole() {
  const least = Math.max(0, levels.indexOf(env.AWS_LAMBDA_LOG_LEVEL?.toUpperCase()));
  for (const [i, level] of levels.entries()) {
    console[level.toLowerCase()] = i >= least ? (...args) => write(level, args) : () => {};
  }
  console.log = console.info;
}

function logError(what, error) {
  const e = asError(error);
  if (inJSON) {
    console.error(e);
    return;
  }
  const shown = { errorType: e.name, errorMessage: e.message, code: e.code, ...e, stack: String(e.stack).split('\n') };
  let text;
  try {
    text = JSON.stringify(shown);
  } catch {
    text = JSON.stringify(described(e));
  }
  console.error(what, '\t' + text);
}

// Loading. A handler is named folder/module.function, and function may be a path
// of properties.

async function load(root, name) {
  if (name.includes('..')) {
    throw new Fault('MalformedHandlerName', `'${name}' is not a valid handler name. Use absolute paths when specifying root directories in handler names.`);
  }
  const last = path.basename(name), dot = last.indexOf('.');
  if (dot < 0) throw new Fault('MalformedHandlerName', 'Bad handler');
  let module;
  try {
    module = await open(root, path.dirname(name), last.slice(0, dot));
  } catch (e) {
    if (e instanceof SyntaxError) throw new Fault('UserCodeSyntaxError', String(e), e);
    if (e?.code === 'MODULE_NOT_FOUND') throw new Fault('ImportModuleError', String(e), e);
    throw e;
  }
  const handler = last.slice(dot + 1).split('.').reduce((o, key) => o?.[key], module);
  if (!handler) throw new Fault('HandlerNotFound', `${name} is undefined or not exported`);
  if (typeof handler !== 'function') throw new Fault('HandlerNotFound', `${name} is not a function`);
  return handler;
}

async function open(root, folder, module) {
  const require = createRequire(import.meta.url);
  const file = path.resolve(root, folder, module);
  const esm = (at) => import(pathToFileURL(at).href);
  if (existsSync(file + '.js')) return isModule(path.dirname(file)) ? esm(file + '.js') : require(file + '.js');
  if (existsSync(file + '.mjs')) return esm(file + '.mjs');
  if (existsSync(file + '.cjs')) return require(file + '.cjs');
  return require(existsSync(file) ? file : require.resolve(module, { paths: [path.join(root, folder), root] }));
}

// isModule says whether the nearest package.json declares .js files to be modules.
function isModule(folder) {
  for (; ; folder = path.dirname(folder)) {
    try {
      return JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')).type === 'module';
    } catch (e) {
      if (e.code !== 'ENOENT') return false; // Node itself says what is wrong with it
    }
    if (folder === '/' || path.basename(folder) === 'node_modules') return false;
  }
}

globalThis.awslambda = {
  streamifyResponse(handler, options) {
    handler[streaming] = 'response';
    if (typeof options?.highWaterMark === 'number') handler[highWaterMark] = options.highWaterMark;
    return handler;
  },
  HttpResponseStream: {
    // from puts what an HTTP response begins with before the stream's first byte.
    from(stream, prelude) {
      stream.setContentType('application/vnd.awslambda.http-integration-response');
      stream.prelude = Buffer.concat([Buffer.from(JSON.stringify(prelude)), Buffer.alloc(8)]);
      return stream;
    },
  },
};

function contextOf(headers) {
  const deadline = Number(headers['lambda-runtime-deadline-ms']);
  const json = (name, what) => {
    const text = headers[name];
    if (text === undefined) return undefined;
    try {
      return JSON.parse(text);
    } catch (e) {
      throw new Error(`Cannot parse ${what} as json: ${e}`);
    }
  };
  return {
    functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
    functionName: env.AWS_LAMBDA_FUNCTION_NAME,
    memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
    clientContext: json('lambda-runtime-client-context', 'ClientContext'),
    identity: json('lambda-runtime-cognito-identity', 'CognitoIdentity'),
    invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
    awsRequestId: headers['lambda-runtime-aws-request-id'],
    tenantId: headers['lambda-runtime-aws-tenant-id'],
    getRemainingTimeInMillis: () => deadline - Date.now(),
  };
}

// idle is called when the event loop has run empty; it is set anew by each
// invocation.
let idle = () => {};

// An invocation that answers at once: by a promise, a callback, the context's
// done, succeed and fail, or, if it does none of that, with null once it has
// nothing left to do.
function invoke(api, handler, got) {
  return new Promise((over) => {
    const { post, fail, context } = begin(api, got);
    let waits = true, answered = false;
    const once = (f) => (...args) => {
      if (answered) return;
      answered = true;
      idle = () => {};
      f(...args);
    };
    const succeed = (value) => {
      let body;
      try {
        body = JSON.stringify(value) ?? 'null';
      } catch {
        return failed(new Error('Unable to stringify response body'));
      }
      post(body).then(over);
    };
    const failed = (e) => {
      logError('Invoke Error', e);
      fail(e).then(over);
    };
    const done = (e, value) => (e === undefined || e === null ? succeed(value) : failed(e));
    const callback = once((e, value) => {
      if (e !== undefined && e !== null || !waits || parallel > 1) return done(e, value);
      idle = () => succeed(value);
    });
    if (parallel === 1) idle = once(() => succeed(null));
    try {
      Object.defineProperty(context, 'callbackWaitsForEmptyEventLoop', { enumerable: true, get: () => waits, set: (v) => (waits = v) });
      context.done = once(done);
      context.succeed = once(succeed);
      context.fail = once((e) => failed(e ?? 'handled'));
      const result = handler(JSON.parse(got.body), Object.assign(context, contextOf(got.headers)), callback);
      if (typeof result?.then === 'function') result.then(context.succeed, context.fail);
    } catch (e) {
      context.fail(e);
    }
  });
}

// begin is what every invocation starts with.
function begin(api, got) {
  const id = got.headers['lambda-runtime-aws-request-id'];
  if (parallel === 1) requestID = () => id;
  const to = `invocation/${id}`, attempt = { 'Lambda-Runtime-Invocation-Id': got.headers['lambda-runtime-invocation-id'] };
  const trace = got.headers['lambda-runtime-trace-id'];
  if (trace && parallel === 1) env._X_AMZN_TRACE_ID = trace;
  else delete env._X_AMZN_TRACE_ID;
  const fail = (e) => api.fail(`${to}/error`, e, attempt);
  report = fail;
  return { to, attempt, fail, context: {}, post: (body) => api.ask('POST', `${to}/response`, body, { 'Content-Type': 'application/json', ...attempt }) };
}

// A ResponseStream is what a streaming handler writes its answer to: the body of
// a request in chunks, with an error, if there is one, in its trailers.
class ResponseStream extends Writable {
  constructor(api, to, attempt, mark) {
    super({ highWaterMark: mark, decodeStrings: true });
    this.api = api;
    this.to = to;
    this.headers = {
      'Lambda-Runtime-Function-Response-Mode': 'streaming', 'Transfer-Encoding': 'chunked',
      Trailer: 'Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body',
      'Content-Type': 'application/octet-stream', ...attempt,
    };
    this.passed = new Promise((resolve) => (this.isPassed = resolve));
  }

  setContentType(type) {
    if (this.begun) throw new Fault('InvalidStreamingOperation', 'Cannot set content-type, too late.');
    this.headers['Content-Type'] = type;
  }

  // Objects are written as JSON, as Lambda's own stream does.
  write(chunk, ...rest) {
    const plain = typeof chunk === 'string' || chunk instanceof Uint8Array;
    return super.write(plain ? chunk : JSON.stringify(chunk), ...rest);
  }

  begin() {
    if (this.begun) return;
    this.begun = true;
    this.api.socket.write(head('POST', this.to, this.headers));
    if (this.prelude) this.chunk(this.prelude);
  }

  chunk(bytes, then) {
    this.api.socket.write(`${bytes.length.toString(16)}\r\n`);
    this.api.socket.write(bytes);
    this.api.socket.write('\r\n', then);
  }

  _write(bytes, _, then) {
    if (this.shut) return then(); // it has failed
    this.begin();
    if (bytes.length === 0) return then(); // an empty chunk would be the last
    this.chunk(bytes, then);
  }

  _final(then) {
    this.close('');
    then();
  }

  // close ends the request with its trailers, and waits for its answer.
  close(trailers) {
    if (this.shut) return;
    this.begin();
    this.shut = true;
    this.api.socket.write(`0\r\n${trailers}\r\n`);
    this.api.answer().then(this.isPassed);
  }

  fail(e) {
    const shown = described(e);
    this.close(`Lambda-Runtime-Function-Error-Type: ${shown.errorType}\r\n` +
      `Lambda-Runtime-Function-Error-Body: ${Buffer.from(JSON.stringify(shown)).toString('base64')}\r\n`);
  }
}

// An invocation that answers by a stream.
async function stream(api, handler, got) {
  const { to, attempt, context } = begin(api, got);
  const out = new ResponseStream(api, `${to}/response`, attempt, handler[highWaterMark]);
  report = (e) => (out.fail(e), out.passed);
  let waits = true;
  Object.defineProperty(context, 'callbackWaitsForEmptyEventLoop', { enumerable: true, get: () => waits, set: (v) => (waits = v) });
  const emptied = new Promise((resolve) => (idle = parallel === 1 ? resolve : idle));
  try {
    const result = handler(JSON.parse(got.body), out, Object.assign(context, contextOf(got.headers)));
    if (typeof result?.then !== 'function') throw 'Streaming does not support non-async handlers.';
    if ((await Promise.race([result, emptied])) !== undefined) console.warn('Streaming handlers ignore return values.');
    if (!out.writableEnded) throw 'Response stream is not finished.';
  } catch (e) {
    logError('Invoke Error', e);
    out.fail(e);
  }
  await out.passed;
  if (waits && parallel === 1) await emptied;
  idle = () => {};
}

// report tells the API of an error that nothing caught: of init at first.
let report;
let serving = false; // init has ended

async function main() {
  setUpConsole();
  const api = new API(env.AWS_LAMBDA_RUNTIME_API);
  report = (e) => api.fail('init/error', e);
  const die = (what, code) => (e) => {
    logError(what, e);
    if (api.waits || serving && parallel > 1) process.exit(code); // no invocation is under way that could have failed
    report(e).then(() => process.exit(code));
  };
  process.on('uncaughtException', die('Uncaught Exception', 129));
  process.on('unhandledRejection', (reason) => {
    const e = new Fault('UnhandledPromiseRejection', String(reason));
    e.reason = reason;
    die('Unhandled Promise Rejection', 128)(e);
  });
  process.on('beforeExit', () => idle());

  const handler = await load(process.cwd(), env._HANDLER);
  const one = handler[streaming] ? stream : invoke;
  serving = true;
  if (parallel === 1) {
    for (;;) await one(api, handler, await api.next());
  }
  const { AsyncLocalStorage } = await import('node:async_hooks');
  const store = new AsyncLocalStorage();
  requestID = () => store.getStore();
  const loop = async (api) => {
    for (;;) {
      const got = await api.next();
      await store.run(got.headers['lambda-runtime-aws-request-id'], () => one(api, handler, got));
    }
  };
  await Promise.all(Array.from({ length: parallel }, (_, i) => loop(i === 0 ? api : new API(env.AWS_LAMBDA_RUNTIME_API))));
}

main().catch((e) => process.emit('uncaughtException', e));
