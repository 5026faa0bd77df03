import { expect, test } from 'vitest';
import { signAwsRequest } from '../../src/core/aws-signature.ts';

const CREDENTIALS = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
};
const SCOPE = { region: 'us-east-1', service: 'iam', now: new Date('2015-08-30T12:36:00Z') };

// The worked example of the signing process in AWS's General Reference.
test('the signature of the published example', () => {
  const url = new URL('https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08');
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded; charset=utf-8' };
  expect(signAwsRequest({ method: 'GET', url, headers, body: '' }, CREDENTIALS, SCOPE)).toEqual({
    'x-amz-date': '20150830T123600Z',
    authorization:
      'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7',
  });
});

test('order, case and blanks of what is signed do not matter; its content does', () => {
  const sign = (query: string, headers: Record<string, string>, body = '') =>
    signAwsRequest(
      { method: 'POST', url: new URL(`https://x.amazonaws.com/?${query}`), headers, body },
      CREDENTIALS,
      SCOPE,
    ).authorization;
  const one = sign('b=1&a=2', { 'X-B': ' one  two ', 'X-A': '1' });
  expect(sign('a=2&b=1', { 'x-a': '1', 'x-b': 'one two' })).toBe(one);
  for (const other of [
    sign('a=2&b=2', { 'x-a': '1', 'x-b': 'one two' }),
    sign('a=2&b=1', { 'x-a': '1', 'x-b': 'two' }),
    sign('a=2&b=1', { 'x-a': '1', 'x-b': 'one two' }, 'body'),
  ])
    expect(other).not.toBe(one);
});

test('temporary credentials send their token, signed', () => {
  const url = new URL('https://iam.amazonaws.com/');
  const signed = signAwsRequest(
    { method: 'GET', url, headers: {}, body: '' },
    { ...CREDENTIALS, sessionToken: 'token' },
    SCOPE,
  );
  expect(signed['x-amz-security-token']).toBe('token');
  expect(signed.authorization).toContain('SignedHeaders=host;x-amz-date;x-amz-security-token,');
});
