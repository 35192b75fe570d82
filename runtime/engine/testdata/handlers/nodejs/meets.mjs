// Invocations that wait until as many of them have come as the event says.

let count = 0, came = [];

const meet = (until) => {
  count++;
  came = came.filter(({ until, go }) => count < until || go());
  return count < until ? new Promise((go) => came.push({ until, go })) : undefined;
};

export const handler = async (event) => {
  await meet(event.until);
  console.log('met');
  if (event.exit) process.exit(event.exit);
  return process.pid;
};

export const callback = (event, context, answer) => {
  Promise.resolve(meet(event.until)).then(() => answer(null, 'called back'));
};

export const stream = awslambda.streamifyResponse(async (event, out) => {
  out.write(`[${event.until}`);
  await meet(event.until);
  out.end(']');
});
