import { describe, expect, test } from '@jest/globals';
import { asLegId } from '../../../src/call/vocabulary.js';
import { by, customer, dialling, eslEvent, FreeSwitchScene, outside, phone } from '../../support/freeswitch-scene.js';

const IN = 'in 4930123456 > 4930555200';
const scene = (options = {}): FreeSwitchScene => new FreeSwitchScene(options);

describe('whose phone is called is known before anybody is bridged', () => {
  test.each([
    { what: 'callcenter', tie: { variable_cc_side: 'agent', variable_cc_member_session_uuid: 'a' } },
    { what: 'fifo', tie: { variable_fifo_bridge_uuid: 'a' } },
    { what: 'enterprise originate', tie: { variable_ent_originate_aleg_uuid: 'a' } },
    { what: 'an originator', tie: { variable_originator: 'a' } },
    { what: 'the other leg', tie: { 'Other-Type': 'originator', 'Other-Leg-Unique-ID': 'a' } },
  ])('$what', ({ tie }) => {
    const { log } = scene()
      .create(customer('a'))
      .answer('a')
      .create(phone('b', '1000', tie))
      .create(phone('c', '1001', tie))
      .after(200)
      .answer('c')
      // Of fifo, pick-up and att_xfer, the agent's leg tells it.
      .bridge('c', 'a')
      .end('b', 'LOSE_RACE', 'send_cancel')
      .end('a', 'NORMAL_CLEARING', 'recv_bye')
      .end('c')
      .after(1_000);
    expect(log).toEqual([`${IN} [Alice Agent, Bob Agent]`, 'answer 1001', 'hangup normalClearing']);
  });

  test('two phones of one user are one agent', () => {
    const { log } = scene()
      .create(customer('a'))
      .create(phone('b', '1000', by('a')))
      .create(phone('c', '1000', by('a')))
      .after(200);
    expect(log).toEqual([`${IN} [Alice Agent]`]);
  });
  test('a group_call says only the presence', () => {
    const leg = phone('b', '1000', { ...by('a'), variable_dialed_user: '', variable_dialed_domain: '' });
    expect(scene().create(customer('a')).create(leg).after(200).log).toEqual([`${IN} [Alice Agent]`]);
  });
});

test('group_confirm: lifting is no answer, the key is', () => {
  const played = scene()
    .create(customer('a'))
    .create(phone('b', '1000', by('a')))
    .after(200)
    .answer('b')
    .after(3_000);
  expect(played.log).toEqual([`${IN} [Alice Agent]`]);
  expect(played.answer('a').bridge('a', 'b').log.slice(1)).toEqual(['answer 1000']);
});

test('group_confirm: who lifts and does not confirm has not answered', () => {
  const { log } = scene()
    .create(customer('a'))
    .create(phone('b', '1000', by('a')))
    .after(200)
    .answer('b')
    .end('b', 'LOSE_RACE', 'send_bye')
    .end('a', 'NORMAL_CLEARING', 'send_refuse', { variable_originate_disposition: 'NO_ANSWER' })
    .after(1_000);
  expect(log).toEqual([`${IN} [Alice Agent]`, 'hangup noAnswer']);
});

describe('withheld numbers', () => {
  test.each([
    { what: 'though FreeSWITCH has it', more: { 'Caller-Privacy-Hide-Number': 'true' } },
    { what: 'by the header Privacy alone', more: { variable_sip_Privacy: 'id' } },
  ])('$what', ({ more }) => {
    expect(
      scene()
        .create(customer('a', more))
        .create(phone('b', '1000', by('a')))
        .after(200).log,
    ).toEqual(['in anonymous > 4930555200 [Alice Agent]']);
  });
});

describe('calls to the outside', () => {
  test('early media is bridged before it is answered', () => {
    const played = scene()
      .create(dialling('a', '1000', '+4930999001'))
      .create(outside('b', '+4930999001', by('a')))
      .bridge('a', 'b')
      .after(2_000);
    expect(played.log).toEqual(['out 4930555100 > 4930999001 [Alice Agent]']);
    played.answer('b').answer('a').end('b', 'NORMAL_CLEARING', 'recv_bye').end('a').after(1_000);
    expect(played.log.slice(1)).toEqual(['answer', 'hangup normalClearing']);
  });

  test('a second gateway after the first has failed is the same call', () => {
    const { log } = scene()
      .create(dialling('a', '1000', '+4930999001'))
      .create(outside('b', '+4930999001', { ...by('a'), variable_sip_gateway_name: 'one' }))
      .end('b', 'NORMAL_TEMPORARY_FAILURE', 'recv_refuse')
      .create(outside('c', '+4930999001', { ...by('a'), variable_sip_gateway_name: 'two' }))
      .answer('c')
      .answer('a')
      .bridge('a', 'c')
      .end('a', 'NORMAL_CLEARING', 'recv_bye')
      .end('c')
      .after(1_000);
    expect(log).toEqual(['out 4930555100 > 4930999001 [Alice Agent]', 'answer', 'hangup normalClearing']);
  });

  test('click-to-call, the customer first: whose call it is, is known when his phone is called', () => {
    const played = scene().create(outside('a', '+4930999001')).answer('a').after(1_000);
    expect(played.log).toEqual([]);
    played
      .create(phone('b', '1000', by('a')))
      .answer('b')
      .bridge('a', 'b');
    expect(played.log).toEqual(['out 4930555100 > 4930999001 [Alice Agent]', 'answer']);
    expect(played.end('a', 'NORMAL_CLEARING', 'recv_bye').end('b').after(1_000).log.at(-1)).toBe(
      'hangup normalClearing',
    );
  });
  test('click-to-call, both by one program: whose call it is, is known when they are bridged', () => {
    const played = scene()
      .create(outside('a', '+4930999001'))
      .create(phone('b', '1000'))
      .answer('a')
      .answer('b')
      .after(500);
    expect(played.log).toEqual([]);
    expect(played.bridge('b', 'a').log).toEqual(['out 4930555100 > 4930999001 [Alice Agent]', 'answer']);
  });
  test('click-to-call, the customer first, who does not answer', () => {
    const { log } = scene()
      .create(outside('a', '+4930999001'))
      .after(9_000)
      .end('a', 'NO_ANSWER', 'send_cancel')
      .after(1_000);
    expect(log).toEqual(['out 4930555100 > 4930999001 []', 'hangup noAnswer']);
  });
  test('click-to-call over a loopback', () => {
    const loopback = (id: string, half: string, direction: string) => ({
      'Unique-ID': id,
      'Channel-Name': `loopback/1000-${id === 'la' ? 'a' : 'b'}`,
      'Call-Direction': direction,
      variable_other_loopback_leg_uuid: half,
    });
    const { log } = scene()
      .create(loopback('la', 'lb', 'outbound'))
      .create(loopback('lb', 'la', 'inbound'))
      .create(phone('p', '1000', by('lb')))
      .answer('p')
      .bridge('lb', 'p')
      .answer('lb')
      .answer('la')
      .create(outside('t', '+4930999001', by('la')))
      .answer('t')
      .bridge('la', 't')
      .end('t', 'NORMAL_CLEARING', 'recv_bye')
      .end('p')
      .after(1_000);
    expect(log).toEqual(['out 4930555100 > 4930999001 [Alice Agent]', 'answer', 'hangup normalClearing']);
  });
});

describe('forwards and transfers to the outside', () => {
  test('a phone that says 302 to an outside number', () => {
    const { log } = scene()
      .create(customer('a'))
      .create(phone('b', '1000', by('a')))
      .after(200)
      .end('b', 'REDIRECTION_TO_NEW_DESTINATION', 'send_cancel')
      .create(outside('c', '+4930999001', by('a')))
      .answer('c')
      .answer('a')
      .bridge('a', 'c')
      .end('c', 'NORMAL_CLEARING', 'recv_bye')
      .end('a')
      .after(1_000);
    expect(log).toEqual([`${IN} [Alice Agent]`, 'hangup forwarded']);
  });
  test('an agent of a queue on a mobile phone behind the gateway', () => {
    const { log } = scene()
      .create(customer('a'))
      .answer('a')
      .create(outside('b', '+4930999001', { variable_cc_side: 'agent', variable_cc_member_session_uuid: 'a' }))
      .answer('b')
      .bridge('a', 'b')
      .end('a', 'NORMAL_CLEARING', 'recv_bye')
      .end('b')
      .after(5_000);
    expect(log).toEqual([`${IN} []`, 'hangup forwarded']);
  });
  test('the same where the number is known as the agent’s', () => {
    const agents = [{ extension: '1000', name: 'Alice Agent', devices: [], phones: ['+4930999001'] }];
    const { log } = scene({ agents })
      .create(customer('a'))
      .answer('a')
      .create(outside('b', '+4930999001', { variable_cc_side: 'agent', variable_cc_member_session_uuid: 'a' }))
      .answer('b')
      .bridge('a', 'b')
      .end('a', 'NORMAL_CLEARING', 'recv_bye')
      .end('b')
      .after(5_000);
    expect(log).toEqual([`${IN} [Alice Agent]`, 'answer 1000', 'hangup normalClearing']);
  });
  test('REFER with Replaces to an outside number that was asked first', () => {
    const played = scene()
      .create(customer('a'))
      .create(phone('b', '1000', by('a')))
      .answer('b')
      .answer('a')
      .bridge('a', 'b')
      .create(dialling('c', '1000', '+4930999001'))
      .create(outside('d', '+4930999001', by('c')))
      .answer('d')
      .answer('c')
      .bridge('c', 'd')
      .after(500)
      .end('c')
      .unbridge('a', 'b')
      .end('b', 'NORMAL_CLEARING', 'recv_bye')
      .bridge('a', 'd')
      .after(500)
      .end('d', 'NORMAL_CLEARING', 'recv_bye')
      .end('a')
      .after(1_000);
    expect(played.log).toEqual([
      `${IN} [Alice Agent]`,
      'answer 1000',
      'out 4930555100 > 4930999001 [Alice Agent]',
      'answer',
      'hangup normalClearing',
      'hangup forwarded',
    ]);
  });
});

describe('att_xfer', () => {
  const consulting = (): FreeSwitchScene =>
    scene()
      .create(customer('a'))
      .create(phone('b', '1000', by('a')))
      .answer('b')
      .answer('a')
      .bridge('a', 'b')
      .create(phone('c', '1001', by('b')))
      .answer('c')
      .bridge('b', 'c')
      .after(500);
  test('the customer hears music while the agent asks another one', () => {
    expect(consulting().log).toEqual([`${IN} [Alice Agent]`, 'answer 1000']);
  });
  test('who asked goes back to the customer, with no word of FreeSWITCH', () => {
    const played = consulting().unbridge('b', 'c').end('c').after(500);
    expect(played.log).toEqual([`${IN} [Alice Agent]`, 'answer 1000']);
    expect(played.end('a', 'NORMAL_CLEARING', 'recv_bye').end('b').after(500).log.at(-1)).toBe('hangup normalClearing');
  });
  test('who was asked takes over', () => {
    const played = consulting()
      .unbridge('b', 'c')
      .unbridge('a', 'b')
      .bridge('c', 'a')
      .end('b', 'NORMAL_CLEARING', 'recv_bye');
    expect(played.log).toEqual([`${IN} [Alice Agent]`, 'answer 1000', 'answer 1001']);
  });
});

describe('conferences', () => {
  test('an empty room is nobody; an agent who comes has answered', () => {
    const played = scene().create(customer('a')).answer('a').room('a', 'add-member').after(4_000);
    expect(played.log).toEqual([`${IN} []`]);
    played
      .create(dialling('b', '1000', '7000'))
      .answer('b')
      .room('b', 'add-member');
    expect(played.log.slice(1)).toEqual(['answer 1000']);
    played
      .room('b', 'del-member')
      .end('b', 'NORMAL_CLEARING', 'recv_bye')
      .end('a', 'NORMAL_CLEARING', 'recv_bye')
      .after(500);
    expect(played.log.slice(2)).toEqual(['hangup normalClearing']);
  });
  test('an agent whom the room has called', () => {
    const played = scene()
      .create(customer('a'))
      .answer('a')
      .room('a', 'add-member')
      .create(phone('b', '1000'))
      .answer('b');
    expect(played.room('b', 'add-member').log).toEqual([`${IN} [Alice Agent]`, 'answer 1000']);
  });
});

test('who left a conference while nobody listened does not talk any more', () => {
  const played = scene().create(customer('a')).answer('a').room('a', 'add-member');
  played
    .create(dialling('b', '1000', '7000'))
    .answer('b')
    .room('b', 'add-member');
  const described = (leg: Readonly<Record<string, string>>, application: string) => {
    const more = {
      'Answer-State': 'answered',
      variable_conference_uuid: 'room-1',
      variable_current_application: application,
    };
    return {
      id: asLegId(leg['Unique-ID'] ?? ''),
      description: eslEvent('CHANNEL_DATA', { ...leg, ...more }),
      first: undefined,
    };
  };
  played.resync({
    legs: [described(customer('a'), 'conference'), described(dialling('b', '1000', '7000'), 'playback')],
  });
  played
    .create(dialling('c', '1001', '7000'))
    .answer('c')
    .room('c', 'add-member');
  expect(played.log).toEqual([`${IN} [Alice Agent]`, 'answer 1000', 'answer 1001']);
});

test('eavesdropping is no answer', () => {
  const played = scene()
    .create(customer('a'))
    .create(phone('b', '1000', by('a')))
    .answer('b')
    .answer('a')
    .bridge('a', 'b');
  played
    .create(dialling('s', '1003', '33'))
    .answer('s')
    .after(500)
    .end('s', 'NORMAL_CLEARING', 'recv_bye');
  expect(played.log).toEqual([`${IN} [Alice Agent]`, 'answer 1000']);
});

test('a caller who gives up is told at once, though a script holds the leg’s thread', () => {
  const played = scene().create(customer('a')).after(1_000);
  played.say('CHANNEL_HANGUP', customer('a'), {
    'Answer-State': 'hangup',
    'Hangup-Cause': 'ORIGINATOR_CANCEL',
    variable_sip_hangup_disposition: 'recv_cancel',
  });
  expect(played.log).toEqual([`${IN} []`, 'hangup cancel']);
  expect(played.after(60_000).end('a', 'ORIGINATOR_CANCEL', 'recv_cancel').after(500).log).toHaveLength(2);
});

describe('which leg is a trunk', () => {
  const nobody = {
    ...dialling('a', '1000', '+4930999001'),
    'Channel-Presence-ID': '',
    variable_sip_auth_username: '',
  };

  test('a phone that need not log in is one where `trunks` says what the others are', () => {
    const out = outside('b', '+4930999001', by('a'));
    expect(
      scene({ trunks: ['external', 'pstn'] })
        .create(nobody)
        .create(out)
        .after(200).log,
    ).toEqual(['out 4930555100 > 4930999001 [Alice Agent]']);
    expect(scene().create(nobody).create(out).after(5_000).log).toEqual(['in 1000 > 4930999001 []']);
  });
  test('a carrier that logs in as a user is a trunk where `trunks` names it', () => {
    const carrier = { ...customer('a'), variable_sip_auth_username: 'carrier' };
    expect(
      scene()
        .create(carrier)
        .create(phone('b', '1000', by('a')))
        .after(200).log,
    ).toEqual([]);
    const played = scene({ trunks: ['CARRIER'] })
      .create(carrier)
      .create(phone('b', '1000', by('a')))
      .after(200);
    expect(played.log).toEqual([`${IN} [Alice Agent]`]);
  });
  test('users of one name in two domains are told apart by their devices', () => {
    const agents = ['north', 'south'].map((name, n) => {
      return { extension: `${n + 1}000`, name, devices: [`1000@${name}.example.com`], phones: [] };
    });
    const south = {
      ...by('a'),
      'Channel-Presence-ID': '1000@south.example.com',
      variable_dialed_domain: 'south.example.com',
    };
    expect(
      scene({ agents })
        .create(customer('a'))
        .create(phone('b', '1000', south))
        .after(200).log,
    ).toEqual([`${IN} [south]`]);
  });
  test('who the dialplan calls a user is none', () => {
    const named = { ...customer('a'), variable_user_name: '1003' };
    expect(scene().create(named).after(5_000).log).toEqual([`${IN} []`]);
    expect(
      scene()
        .create({ ...named, variable_sip_acl_authed_by: 'office' })
        .after(5_000).log,
    ).toEqual([]);
  });
});

test('the queue is told with the first agent whom it rings', () => {
  const tie = { variable_cc_side: 'agent', variable_cc_member_session_uuid: 'a', variable_cc_queue: 'support@default' };
  const played = scene({ calls: { sendQueue: true } })
    .create(customer('a'))
    .answer('a')
    .create(phone('b', '1000', tie))
    .after(200);
  expect(played.posts[0]?.post).toMatchObject({ event: 'newCall', queue: 'support@default' });
});

test('a leg whose beginning was not heard is taken up by its next event', () => {
  const played = scene();
  const leg = customer('a', { 'Caller-Destination-Number': '1000', variable_sip_req_user: '+4930555200' });
  played.say('CHANNEL_ANSWER', leg, { 'Answer-State': 'answered', 'Caller-Caller-ID-Number': '1001' }).after(5_000);
  expect(played.log).toEqual([`${IN} []`]);
});

test('a caller who is hung up as busy: the phone that a queue rang was not reached for another reason', () => {
  const tie = { variable_cc_side: 'agent', variable_cc_member_session_uuid: 'a' };
  const played = scene()
    .create(customer('a'))
    .answer('a')
    .create(phone('b', '1000', tie))
    .after(200);
  played.say('CHANNEL_HANGUP', customer('a'), { 'Answer-State': 'hangup', 'Hangup-Cause': 'USER_BUSY' });
  played.end('b', 'ORIGINATOR_CANCEL', 'send_cancel').end('a', 'USER_BUSY').after(500);
  expect(played.log).toEqual([`${IN} [Alice Agent]`, 'hangup busy']);
});

describe('voicemail is told apart', () => {
  const MAIL = {
    variable_current_application: 'voicemail',
    variable_current_application_data: 'default pbx.test 1000',
  };
  const called = (): FreeSwitchScene =>
    scene()
      .create(customer('a'))
      .create(phone('b', '1000', by('a')))
      .after(200)
      .end('b', 'NO_ANSWER');
  const MISSED = [`${IN} [Alice Agent]`, 'answer voicemail', 'hangup cancel'];

  test('an application of its own, when it answers', () => {
    const played = called().say('CHANNEL_ANSWER', customer('a'), { ...MAIL, 'Answer-State': 'answered' });
    expect(played.log).toEqual(MISSED.slice(0, 2));
    expect(played.end('a', 'NORMAL_CLEARING', 'recv_bye', MAIL).after(1_000).log).toEqual(MISSED);
  });
  test('behind an answer of the dialplan: at the latest when the caller hangs up', () => {
    const played = called().answer('a').after(5_000);
    expect(played.log).toHaveLength(1);
    const ending = { ...MAIL, 'Answer-State': 'hangup', variable_sip_hangup_disposition: 'recv_bye' };
    expect(played.say('CHANNEL_HANGUP', customer('a'), ending).after(1_000).log).toEqual(MISSED);
  });
  test('a message was left, and the dialplan has hung up', () => {
    const left = { variable_voicemail_account: '1000', variable_voicemail_message_len: '00:00:07' };
    const { log } = called().answer('a').end('a', 'NORMAL_CLEARING', 'send_bye', left).after(1_000);
    expect(log).toEqual([...MISSED.slice(0, 2), 'hangup noAnswer']);
  });
  test('the script of FusionPBX', () => {
    const { log } = called()
      .answer('a')
      .end('a', 'NORMAL_CLEARING', 'recv_bye', { variable_voicemail_action: 'save' })
      .after(1_000);
    expect(log).toEqual(MISSED);
  });

  test('over loopback, as the vanilla dialplan has it: as soon as it is bridged there', () => {
    const app = { variable_loopback_app: 'voicemail', variable_loopback_app_arg: 'default pbx.test 1000' };
    const half = (id: string, other: string, direction: string, more: object): Record<string, string> => ({
      'Unique-ID': id,
      'Channel-Name': `loopback/voicemail-${id}`,
      'Call-Direction': direction,
      variable_other_loopback_leg_uuid: other,
      ...app,
      ...more,
    });
    const played = called()
      .answer('a')
      .create(half('la', 'lb', 'outbound', by('a')))
      .create(half('lb', 'la', 'inbound', {}))
      .answer('lb')
      .bridge('a', 'la');
    expect(played.log).toEqual(MISSED.slice(0, 2));
    expect(played.end('a', 'NORMAL_CLEARING', 'recv_bye').end('la').end('lb').after(1_000).log).toEqual(MISSED);
  });

  test('who is put through from there is with an agent', () => {
    const played = called()
      .say('CHANNEL_ANSWER', customer('a'), { ...MAIL, 'Answer-State': 'answered' })
      .create(phone('c', '1001', by('a')))
      .answer('c')
      .bridge('a', 'c')
      .end('c', 'NORMAL_CLEARING', 'send_bye')
      .end('a', 'NORMAL_CLEARING', 'recv_bye', { variable_voicemail_action: 'save' })
      .after(1_000);
    expect(played.log.slice(1)).toEqual(['answer voicemail', 'answer 1001', 'hangup normalClearing']);
  });

  test.each(['check default pbx.test 1000', 'auth default pbx.test', 'auth_only default pbx.test'])(
    'who hears his own messages is no caller who leaves one: %s',
    (data) => {
      const { log } = called()
        .answer('a')
        .end('a', 'NORMAL_CLEARING', 'recv_bye', { ...MAIL, variable_current_application_data: data })
        .after(1_000);
      expect(log).toEqual([MISSED[0], MISSED[2]]);
    },
  );

  test('a caller who was with it when the bridge began to listen', () => {
    const one = scene();
    const description = eslEvent('CHANNEL_DATA', { ...customer('a'), ...MAIL, 'Answer-State': 'answered' });
    one.resync({ legs: [{ id: asLegId('a'), description, first: undefined }] }).after(5_000);
    expect(one.log).toEqual([`${IN} []`, 'answer voicemail']);
  });
});
