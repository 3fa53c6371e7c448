<?php

declare(strict_types=1);

namespace Plasm\Tests;

use Plasm\Exception\UnverifiedException;
use Plasm\Trust;
use Plasm\Verifier;

/**
 * Go and PHP judge the same 10,000 mutations of valid envelopes, and agree about
 * each. PLASM_SEED chooses others.
 */
final class DifferentialTest extends SdkTestCase
{
    private const MUTATIONS = 10000;

    public function testGoAndPhpAgree(): void
    {
        $go = getenv('GO') ?: 'go';
        $judge = "$this->folder/judge";
        $build = 'cd ' . escapeshellarg(self::ROOT) . " && CGO_ENABLED=0 $go build -o $judge ./test/judge 2>&1";
        exec($build, $lines, $code);
        self::assertSame(0, $code, implode("\n", $lines));

        $seed = (int) (getenv('PLASM_SEED') ?: 1);
        $verdicts = [];
        $mutations = [];
        $file = fopen("$this->folder/lines", 'wb');
        foreach ($this->mutations($seed) as [$vector, $envelope]) {
            $mutations[] = $envelope;
            $verdicts[] = self::verdict($vector, $envelope);
            fwrite($file, json_encode([
                'envelope' => base64_encode($envelope),
                'trusted' => $vector['trusted'],
                'expect' => (object) array_map(
                    static fn (mixed $v): mixed => is_object($v) ? (object) $v->members : $v,
                    $vector['expect']->members,
                ),
            ], JSON_THROW_ON_ERROR) . "\n");
        }
        fclose($file);
        exec("$judge <$this->folder/lines", $theirs, $code);
        self::assertSame(0, $code);
        self::assertCount(self::MUTATIONS, $theirs);
        foreach ($theirs as $i => $verdict) {
            self::assertSame($verdict, $verdicts[$i], "seed $seed, mutation $i: " . base64_encode($mutations[$i]));
        }
        // A mutator that gets no further than the first check would prove nothing.
        $count = array_count_values($verdicts);
        foreach (['verified', 'bad_json envelope', 'bad_json payload', 'bad_base64', 'bad_statement'] as $often) {
            self::assertGreaterThan(100, $count[$often] ?? 0, $often);
        }
        foreach (['untrusted', 'signature_count', 'wrong_signer', 'manifest', 'stdin', 'stdout', 'stderr'] as $seen) {
            self::assertGreaterThan(0, $count[$seen] ?? 0, $seen);
        }
    }

    /** @return \Generator<int, array{array<string, mixed>, string}> */
    private function mutations(int $seed): \Generator
    {
        $valid = array_values(array_filter(
            Vectors::of('receipts'),
            static fn (array $v): bool => $v['valid'] && !isset($v['pad_to']) && strlen(Vectors::bytes($v)) < 10000,
        ));
        $mutator = new Mutator($seed);
        for ($i = 0; $i < self::MUTATIONS; $i++) {
            $vector = $valid[$i % count($valid)];
            yield [$vector, $mutator->mutate(Vectors::bytes($vector))];
        }
    }

    /** @param array<string, mixed> $vector */
    private static function verdict(array $vector, string $envelope): string
    {
        try {
            (new Verifier(Trust::peers(...$vector['trusted'])))->verify($envelope, Vectors::expect($vector['expect']));
        } catch (UnverifiedException $e) {
            return rtrim("{$e->reason?->value} $e->of");
        }
        return 'verified';
    }
}
