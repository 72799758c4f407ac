import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { colourJson } from '../../../../src/emulator/page/code-colours.ts';
import { renderMarkdown } from '../../../../src/emulator/page/markdown.ts';

describe('renderMarkdown', () => {
  test.each([
    ['plain', '<p>plain</p>'],
    ['**b** *i* _i_ __u__ ~~s~~', '<p><strong>b</strong> <em>i</em> <em>i</em> <u>u</u> <s>s</s></p>'],
    ['**bold with *italic* in it**', '<p><strong>bold with <em>italic</em> in it</strong></p>'],
    ['`a **b** <c>`', '<p><code>a **b** &lt;c&gt;</code></p>'],
    ['``a ` b``', '<p><code>a ` b</code></p>'],
    ['snake_case_name and 2 * 3 * 4', '<p>snake_case_name and 2 * 3 * 4</p>'],
    ['\\*not italic\\*', '<p>*not italic*</p>'],
    ['-# small print', '<small>small print</small>'],
    ['## Title', '<h4>Title</h4>'],
    ['> said **so**', '<blockquote>said <strong>so</strong></blockquote>'],
    ['one\n\ntwo', '<p>one</p><p></p><p>two</p>'],
  ])('%j', (text, html) => {
    expect(renderMarkdown(text)).toBe(html);
  });

  test('a fence keeps its text as it is, and what stands around it is drawn', () => {
    const html = renderMarkdown('head\n```\n**a**\n  <b>\n```\ntail');
    expect(html).toBe('<p>head</p><pre tabindex="0"><code>**a**\n  &lt;b&gt;</code></pre><p>tail</p>');
  });

  test('a fence that nobody closes is text', () => {
    expect(renderMarkdown('```json\n{')).toBe('<p>```json</p><p>{</p>');
  });

  test('json gets colours', () => {
    expect(renderMarkdown('```json\n{"a": "x", "b": -1.5e3, "c": null}\n```')).toBe(
      '<pre tabindex="0"><code>{<span class="k">&quot;a&quot;</span>: <span class="s">&quot;x&quot;</span>, ' +
        '<span class="k">&quot;b&quot;</span>: <span class="n">-1.5e3</span>, ' +
        '<span class="k">&quot;c&quot;</span>: <span class="w">null</span>}</code></pre>',
    );
  });

  test('diff gets colours by line', () => {
    expect(renderMarkdown('```diff\n+1 {"a": "<"}\n-2 {}\n 3\n```')).toBe(
      '<pre tabindex="0"><code><span class="plus">+1 {&quot;a&quot;: &quot;&lt;&quot;}</span>\n' +
        '<span class="minus">-2 {}</span>\n 3</code></pre>',
    );
  });

  test('a language named like a property of objects is no colour', () => {
    expect(renderMarkdown('```constructor\n<x>\n```')).toBe('<pre tabindex="0"><code>&lt;x&gt;</code></pre>');
  });

  test('a link ends before the punctuation after it and keeps its query', () => {
    expect(renderMarkdown('see https://example.org/a?b=1&c="x".')).toBe(
      '<p>see <a href="https://example.org/a?b=1&amp;c=" rel="noreferrer noopener" target="_blank">https://example.org/a?b=1&amp;c=</a>&quot;x&quot;.</p>',
    );
  });

  test('javascript: never becomes a link', () => {
    expect(renderMarkdown('[a](javascript:alert(1)) javascript:alert(1)')).not.toContain('<a');
  });

  test('nesting is bounded', () => {
    const text = `${'*_'.repeat(400)}x${'_*'.repeat(400)}`;
    expect(renderMarkdown(text)).toContain('x');
  });

  test('4,000 characters of half-open marks take no noticeable time', () => {
    const started = performance.now();
    for (const mark of ['*', '**', '_', '__', '~~', '`', '```', '\\', '<', 'http://']) {
      renderMarkdown(mark.repeat(4000 / mark.length));
      renderMarkdown(`${mark}a `.repeat(1000));
    }
    expect(performance.now() - started).toBeLessThan(1000);
  });
});

/** Every tag that the renderer may write; a user's `<` must never add another. */
const TAG =
  /<\/?(?:p|strong|em|u|s|code|small|blockquote|h3|h4|h5|pre tabindex="0"|pre|span class="(?:[ksnw]|plus|minus)"|span|a href="https?:\/\/[^"<>]*" rel="noreferrer noopener" target="_blank"|a)>/g;

const hostile = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '*',
        '**',
        '_',
        '__',
        '~~',
        '`',
        '```',
        '```json\n',
        '\n',
        '-# ',
        '> ',
        '# ',
        '\\',
        'https://x/',
        '"',
        "'",
      ),
      fc.constantFrom(
        '<script>alert(1)</script>',
        '<img src=x onerror=alert(1)>',
        '" onmouseover="x',
        '&lt;',
        '</code>',
        '<!--',
      ),
      fc.string({ maxLength: 6, unit: 'grapheme' }),
    ),
    { maxLength: 40 },
  )
  .map((parts) => parts.join(''));

describe('nothing a user writes becomes markup', () => {
  test('markdown', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const rest = renderMarkdown(text).replace(TAG, '');
        expect(rest).not.toMatch(/[<>"]/);
      }),
      { numRuns: 2000 },
    );
  });

  test('json colours keep every character', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const rest = colourJson(text).replace(TAG, '');
        expect(rest).not.toMatch(/[<>"]/);
        expect(plainText(rest)).toBe(text);
      }),
      { numRuns: 1000 },
    );
  });
});

function plainText(html: string): string {
  const entities: Record<string, string> = { '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#39;': "'", '&amp;': '&' };
  return html.replace(/&(?:lt|gt|quot|#39|amp);/g, (entity) => entities[entity]!);
}
