<?php

declare(strict_types=1);

namespace Plasm\Json;

use Plasm\Digest;
use Plasm\Exception\DocumentException;
use Plasm\Exception\UnknownVersionException;
use Plasm\PeerId;

/**
 * Reads one object of a document, member by member; {@see close()} then refuses
 * a member that nothing has read, here or in an object taken from here. Every
 * method throws a DocumentException that names the member at fault.
 *
 * @internal
 */
final class Fields
{
    private readonly JsonObject $object;
    /** @var array<array-key, true> */
    private array $read = [];
    /** @var list<self> */
    private array $children = [];

    /** @param mixed $value as {@see Scanner::parse()} returns it */
    public function __construct(mixed $value, public readonly string $path)
    {
        if (!$value instanceof JsonObject) {
            throw DocumentException::field($path, Rule::Type, 'must be an object, not ' . self::describe($value));
        }
        $this->object = $value;
    }

    public function fail(string $name, Rule $rule, string $problem): DocumentException
    {
        return DocumentException::field("$this->path.$name", $rule, $problem);
    }

    public function close(): void
    {
        foreach ($this->object->members as $name => $_) {
            if (!isset($this->read[$name])) {
                $path = self::member($this->path, (string) $name);
                throw DocumentException::field($path, Rule::Unknown, 'unknown member');
            }
        }
        foreach ($this->children as $child) {
            $child->close();
        }
    }

    /** Refuses other members than these before anything is read, as who reads a document as it comes does. */
    public function only(string ...$names): void
    {
        foreach ($this->object->members as $name => $_) {
            if (!in_array((string) $name, $names, true)) {
                $path = self::member($this->path, (string) $name);
                throw DocumentException::field($path, Rule::Unknown, 'unknown member');
            }
        }
    }

    /** Has {@see close()} take every member of this object as read: somebody else reads it. */
    public function skip(): void
    {
        $this->read = array_map(static fn (): bool => true, $this->object->members);
    }

    public function has(string $name): bool
    {
        return array_key_exists($name, $this->object->members);
    }

    public function value(string $name): mixed
    {
        if (!$this->has($name)) {
            throw $this->fail($name, Rule::Missing, 'missing');
        }
        $this->read[$name] = true;
        return $this->object->members[$name];
    }

    public function string(string $name): string
    {
        return $this->textAt("$this->path.$name", $this->value($name));
    }

    public function optString(string $name): ?string
    {
        return $this->has($name) ? $this->string($name) : null;
    }

    public function nonEmpty(string $name): string
    {
        $s = $this->string($name);
        return $s !== '' ? $s : throw $this->fail($name, Rule::Format, 'must not be empty');
    }

    public function optNonEmpty(string $name): ?string
    {
        return $this->has($name) ? $this->nonEmpty($name) : null;
    }

    public function oneOf(string $name, string ...$values): string
    {
        $s = $this->string($name);
        if (!in_array($s, $values, true)) {
            throw $this->fail($name, Rule::Value, Text::quote($s) . ' is not one of ' . implode(', ', $values));
        }
        return $s;
    }

    /** A member that says in which version the document is written. */
    public function version(string $name, string $known): void
    {
        $s = $this->string($name);
        if ($s !== $known) {
            $problem = Text::quote($s) . ' is a version that this SDK does not know, it knows ' . Text::quote($known);
            throw UnknownVersionException::field("$this->path.$name", Rule::Value, $problem);
        }
    }

    public function int(string $name, int $low, int $high): int
    {
        $n = $this->value($name);
        if (!is_int($n)) {
            throw $this->fail($name, Rule::Type, 'must be an integer, not ' . self::describe($n));
        }
        if ($n < $low || $n > $high) {
            throw $this->fail($name, Rule::Range, "$n is not in {$low}…$high");
        }
        return $n;
    }

    public function optInt(string $name, int $low, int $high): ?int
    {
        return $this->has($name) ? $this->int($name, $low, $high) : null;
    }

    public function bool(string $name): bool
    {
        $b = $this->value($name);
        return is_bool($b)
            ? $b : throw $this->fail($name, Rule::Type, 'must be true or false, not ' . self::describe($b));
    }

    public function optBool(string $name): ?bool
    {
        return $this->has($name) ? $this->bool($name) : null;
    }

    public function digest(string $name): string
    {
        $s = $this->string($name);
        if (!Digest::isValid($s)) {
            $problem = Text::quote($s) . ' is not sha256: and 64 lower-case hex digits';
            throw $this->fail($name, Rule::Format, $problem);
        }
        return $s;
    }

    /**
     * An object of at most $limit members that are base64 of bytes which have the digest that is their name; none
     * when it is absent.
     *
     * @return array<string, string> the bytes by digest
     */
    public function byDigest(string $name, int $limit): array
    {
        if (!$this->has($name)) {
            return [];
        }
        $f = $this->object($name);
        $all = [];
        foreach (array_keys($f->object->members) as $digest) {
            $digest = (string) $digest;
            $path = self::member($f->path, $digest);
            if (count($all) === $limit) {
                throw $this->fail($name, Rule::Count, "more than the $limit members allowed");
            }
            if (!Digest::isValid($digest)) {
                $problem = Text::quote($digest) . ' is not sha256: and 64 lower-case hex digits';
                throw DocumentException::field($path, Rule::Format, $problem);
            }
            $bytes = $f->base64($digest);
            $is = Digest::of($bytes);
            if ($is !== $digest) {
                throw DocumentException::field($path, Rule::Digest, "is $is");
            }
            $all[$digest] = $bytes;
        }
        return $all;
    }

    public function optDigest(string $name): ?string
    {
        return $this->has($name) ? $this->digest($name) : null;
    }

    /** A member that is spelled as a peer ID; whether it names a key is for who uses the key. */
    public function peerId(string $name): string
    {
        $s = $this->string($name);
        return PeerId::isSpelled($s)
            ? $s : throw $this->fail($name, Rule::Format, Text::quote($s) . ' is not a peer ID');
    }

    /** A member that is 1 to 32 of a-z, 0-9 and, where $dash, "-". */
    public function name(string $name, bool $dash): string
    {
        $s = $this->string($name);
        if (!Text::isName($s, $dash)) {
            $problem = Text::quote($s) . ' is not 1 to 32 of a-z 0-9' . ($dash ? ' -' : '');
            throw $this->fail($name, Rule::Format, $problem);
        }
        return $s;
    }

    /** A member that is 1 to 64 printable ASCII characters. */
    public function printable(string $name): string
    {
        $s = $this->string($name);
        if (!Text::isVersion($s)) {
            throw $this->fail($name, Rule::Format, Text::quote($s) . ' is not 1 to 64 printable ASCII characters');
        }
        return $s;
    }

    /** A member that is a time YYYY-MM-DDThh:mm:ss.sssZ. */
    public function time(string $name): \DateTimeImmutable
    {
        $s = $this->string($name);
        $form = '/^(\d{4})-(\d\d)-(\d\d)T([01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$/D';
        // 400 years on, the calendar is the same, and has no year 0 for checkdate() to refuse.
        if (preg_match($form, $s, $m) !== 1 || !checkdate((int) $m[2], (int) $m[3], (int) $m[1] + 400)) {
            throw $this->fail($name, Rule::Format, Text::quote($s) . ' is not a time YYYY-MM-DDThh:mm:ss.sssZ');
        }
        return new \DateTimeImmutable($s);
    }

    /** A member that is base64, decoded. */
    public function base64(string $name): string
    {
        return Base64::decode($this->string($name)) ?? throw $this->fail(
            $name,
            Rule::Base64,
            'not base64: the standard alphabet, padded, without line breaks and stray bits',
        );
    }

    /** @return list<mixed> */
    public function array(string $name): array
    {
        $list = $this->value($name);
        return is_array($list)
            ? $list : throw $this->fail($name, Rule::Type, 'must be an array, not ' . self::describe($list));
    }

    /** @return list<string> */
    public function strings(string $name): array
    {
        $out = [];
        foreach ($this->array($name) as $i => $v) {
            $out[] = $this->textAt("$this->path.{$name}[$i]", $v);
        }
        return $out;
    }

    /** @return list<string> none when the member is absent */
    public function optStrings(string $name): array
    {
        return $this->has($name) ? $this->strings($name) : [];
    }

    public function object(string $name): self
    {
        return $this->child($this->value($name), "$this->path.$name");
    }

    /** @return list<self> */
    public function objects(string $name): array
    {
        $out = [];
        foreach ($this->array($name) as $i => $v) {
            $out[] = $this->child($v, "$this->path.{$name}[$i]");
        }
        return $out;
    }

    /** @return list<self> none when the member is absent */
    public function optObjects(string $name): array
    {
        return $this->has($name) ? $this->objects($name) : [];
    }

    /** @return array<array-key, string> an object of strings, empty when it is absent */
    public function texts(string $name): array
    {
        $out = [];
        if ($this->has($name)) {
            $object = $this->value($name);
            if (!$object instanceof JsonObject) {
                throw $this->fail($name, Rule::Type, 'must be an object, not ' . self::describe($object));
            }
            foreach ($object->members as $key => $v) {
                $out[$key] = $this->textAt(self::member("$this->path.$name", (string) $key), $v);
            }
        }
        return $out;
    }

    /**
     * A set: strings of which each is one of $values, and none is there twice.
     *
     * @param list<string> $values
     *
     * @return list<string>
     */
    public function setOf(string $name, array $values): array
    {
        $list = $this->strings($name);
        foreach ($list as $i => $s) {
            if (!in_array($s, $values, true)) {
                $problem = Text::quote($s) . ' is not one of ' . implode(', ', $values);
                throw $this->fail("{$name}[$i]", Rule::Value, $problem);
            }
        }
        $this->distinct($name, $list);
        return $list;
    }

    /** @param list<string> $list */
    public function distinct(string $name, array $list, string $member = ''): void
    {
        $seen = [];
        foreach ($list as $i => $s) {
            if (isset($seen[$s])) {
                throw $this->fail("{$name}[$i]$member", Rule::Repeated, Text::quote($s) . ' is there twice');
            }
            $seen[$s] = true;
        }
    }

    /** $path.$name, or $path["name"] where the name isn't one that could be ours. */
    public static function member(string $path, string $name): string
    {
        return preg_match('/^\w+$/D', $name) === 1 ? "$path.$name" : $path . '[' . Text::quote($name) . ']';
    }

    private function child(mixed $value, string $path): self
    {
        return $this->children[] = new self($value, $path);
    }

    private function textAt(string $path, mixed $value): string
    {
        return is_string($value) ? $value : throw DocumentException::field(
            $path,
            Rule::Type,
            'must be a string, not ' . self::describe($value),
        );
    }

    private static function describe(mixed $value): string
    {
        return match (true) {
            is_string($value) => Text::quote($value),
            is_int($value) => (string) $value,
            is_bool($value) => $value ? 'true' : 'false',
            is_array($value) => 'an array',
            default => 'an object',
        };
    }
}
