import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout } from 'node:timers/promises';

export const handler = awslambda.streamifyResponse(async (event, stream) => {
  stream.write('a');
  await setTimeout(5);
  stream.write('b');
  stream.end('é');
});

export const http = awslambda.streamifyResponse(async (event, stream) => {
  stream = awslambda.HttpResponseStream.from(stream, { statusCode: 201, headers: { a: 'b' } });
  stream.write('body');
  stream.end();
});

export const fails = awslambda.streamifyResponse(async () => {
  throw new RangeError('no stream');
});

export const pipes = awslambda.streamifyResponse(async (event, stream) => {
  stream.setContentType('text/plain');
  await pipeline(Readable.from(['a', 'b', '{"c":1}']), stream);
});

export const breaks = awslambda.streamifyResponse(async (event, stream) => {
  stream.write('half');
  throw new RangeError('half a stream');
});

export const forgets = awslambda.streamifyResponse(async (event, stream) => {
  stream.write({ half: true });
});
