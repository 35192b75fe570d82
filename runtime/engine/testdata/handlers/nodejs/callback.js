let timers = 0;
const tick = () => timers++;

exports.answers = (event, context, callback) => {
  const answer = { toJSON: () => ({ timers }) };
  timers = 0;
  setTimeout(tick, 20);
  callback(null, answer); // which is sent once the timer is through
};
exports.hurries = (event, context, callback) => {
  context.callbackWaitsForEmptyEventLoop = false;
  setTimeout(tick, 3_600_000);
  callback(null, { timers: 0 });
};
exports.done = (event, context) => {
  setTimeout(() => context.done(null, 'done'), 5);
};
exports.forgets = () => {
  setTimeout(tick, 5);
};
exports.fails = () => {
  throw new RangeError('no order é');
};
exports.throws = () => {
  setTimeout(() => {
    throw new Error('late');
  }, 5);
};
exports.text = (event, context, callback) => callback('no order');
exports.inner = { handler: async () => 'inner' };
