# SPDX-License-Identifier: MIT
# Where can a model file be broken, and how?  The mutation operators.
#
# Structure (which statements stand in which block) comes from clang's AST, and
# the extent of macro calls, of which an AST knows only the beginning, from
# clang's raw tokens.  A mutant is a list of replacements in the text; none
# changes the number of lines.  What the model tells the checks is no protocol:
# notes, marks, remarks and assertions are never touched.
package MutateSites;
use strict;
use warnings;
use Exporter 'import';
use JSON::PP;

our @EXPORT_OK = qw(mutants apply operators);

# --- what names say --------------------------------------------------------------
my $note = qr/^(?:heddle_(?:remark|mark|keep|state|limit|unlock_lock_orders)
	|mm_note\w*|user_(?:call|fault|cause)\w*|hd_\w+|lock_acquired|return_to_user|cpu_relax|might_\w+|\w*assert\w*)$/xi;
my $init = qr/init|^(?:refcount|atomic)_set$/; # of what nobody can see yet
my $check = qr/^(?:WARN|BUG)(?:_ON)?(?:_ONCE)?$/; # protocol if it calls
my $ordered = qr/^(?:__)?(?:smp|atomic\w*|refcount|(?:try_)?cmpxchg|xchg)_/;
my $unlock = qr/unlock|_release|^up(?:_|$)|downgrade|exit_locked|_put$
	|_end(?:_|$)|_enable$|irq_restore/x;
my $lock = qr/lock(?!ed|dep)|_acquire(?!d)|^down(?:_|$)|enter_locked
	|_begin$|_start_|^start_|_disable$|irq_save/x;
my $wakeup = qr/wake_up|swake|^complete(?:_all)?$/;
my $wait = qr/wait_event|^wait_|_wait$|^synchronize_|^schedule/;
my $barrier = qr/^(?:smp_(?:\w*mb)|barrier|smp_mb__\w+)$/;

sub class_of {
	my ($name) = @_;
	return 'note' if $name =~ $note;
	return 'barrier' if $name =~ $barrier;
	return 'store' if $name =~ $ordered || $name =~ /^WRITE_ONCE$|^rcu_assign/;
	return 'call' if $name =~ /init|alloc|acquired/;
	return 'unlock' if $name =~ $unlock || $name =~ /^end_/;
	return 'wakeup' if $name =~ $wakeup;
	return 'wait' if $name =~ $wait;
	return 'lock' if $name =~ $lock;
	return 'call';
}

# name, and what it does; the order is that of mutants at one place
my @operators = (
	[ 'never', 'the branch of an if, or the repetition of a loop, is not '
		. 'taken; its condition is still evaluated' ],
	[ 'always', 'the branch of an if is always taken' ],
	[ 'no-term', 'one term of a && or || is left out' ],
	[ 'edge', 'a comparison is off by one: < and <=, > and >=' ],
	[ 'no-lock', 'a lock call is left out' ],
	[ 'no-unlock', 'an unlock call is left out' ],
	[ 'no-pair', 'a lock call and its unlock calls are left out' ],
	[ 'no-irq-off', 'a lock leaves interrupts on' ],
	[ 'no-wait', 'a wait does not wait' ],
	[ 'no-wakeup', 'a wake-up is left out' ],
	[ 'no-barrier', 'a barrier is left out' ],
	[ 'no-store', 'a store to memory is left out' ],
	[ 'no-call', 'another call is left out' ],
	[ 'unlock-early', 'an unlock moves above the statement before it' ],
	[ 'lock-late', 'a lock moves below the statement behind it' ],
	[ 'swap', 'two adjacent statements change places' ],
	[ 'relax', 'an acquire or release loses its order' ],
	[ 'unmark', 'READ_ONCE and WRITE_ONCE become plain' ],
	[ 'free-now', 'freed without waiting for the grace period' ],
);
my %rank = map { $operators[$_][0] => $_ } 0 .. $#operators;
sub operators { return @operators }

# --- clang -----------------------------------------------------------------------
my ($src, @tokens, %at, @out, %fn);

sub output_of {
	my ($err, @cmd) = @_;
	my $pid = open my $f, '-|' // die "fork: $!\n";
	if (!$pid) {
		open STDERR, $err eq 'keep' ? '>&STDOUT' : '>/dev/null';
		exec @cmd or exit 127;
	}
	return $f;
}

# Words and punctuation of the file with their offsets, nothing expanded.
sub read_tokens {
	my ($file, @cc) = @_;
	my @line = (0);
	push @line, pos $src while $src =~ /\n/g;
	@tokens = ();
	%at = ();
	my $f = output_of('keep', @cc, '-Xclang', '-dump-raw-tokens',
		'-fsyntax-only', $file);
	while (<$f>) {
		next unless /^(\w+) '(.*)'\t.*Loc=<[^<>]*:(\d+):(\d+)>$/;
		next if $1 eq 'unknown' || $1 eq 'comment';
		my $off = $line[$3 - 1] + $4 - 1;
		$at{$off} = @tokens;
		push @tokens, { off => $off, end => $off + length $2, text => $2 };
	}
	close $f;
}

# The function definitions of the file itself, as trees.  The dump has one
# object a declaration, indented by four, and most belong to headers.
sub read_functions {
	my ($file, @cc) = @_;
	my ($chunk, $head, $ours, @fns) = ('', 0, 0);
	my $f = output_of('drop', @cc, '-Xclang', '-ast-dump=json',
		'-fsyntax-only', $file);
	while (<$f>) {
		if (/^    \{/) {
			($chunk, $head, $ours) = ('', 1, 1);
		} elsif ($head) {
			$head = 0 if /^      "range"/;
			$ours = 0 if /"includedFrom"/ ||
				/^      "kind": "(?!FunctionDecl")/;
		}
		$chunk .= $_ if $ours;
		next unless /^    \}/ && $ours;
		$ours = 0;
		$chunk =~ s/,\s*\z//;
		my $d = JSON::PP->new->decode($chunk);
		my ($body) = grep { ($_->{kind} // '') eq 'CompoundStmt' }
			@{$d->{inner} // []};
		push @fns, { name => $d->{name}, body => $body, decl => $d }
			if $body;
	}
	close $f;
	return @fns;
}

# --- places ------------------------------------------------------------------------
sub text { my ($b, $e) = @_; return substr $src, $b, $e - $b }
sub token_text { my ($i) = @_; return $tokens[$i] ? $tokens[$i]{text} : '' }
sub line_of { my ($off) = @_; return 1 + (text(0, $off) =~ tr/\n//) }

# Index of the bracket that matches the one at index i.
sub match {
	my ($i) = @_;
	my ($step, $depth) = (token_text($i) =~ /[(\[{]/ ? 1 : -1, 0);
	for (; $i >= 0 && $i < @tokens; $i += $step) {
		my $t = token_text($i);
		$depth += $step if $t =~ /^[(\[{]$/;
		$depth -= $step if $t =~ /^[)\]}]$/;
		return $i if !$depth;
	}
	die "brackets do not match\n";
}

sub is_macro { my ($loc) = @_; return exists $loc->{expansionLoc} }
sub offset { my ($loc) = @_; return ($loc->{expansionLoc} // $loc)->{offset} }

# Behind the last token; a macro call ends with its arguments.
sub end_of {
	my ($loc) = @_;
	my $i = $at{offset($loc)} // die "no token at " . offset($loc) . "\n";
	$i = match($i + 1) if is_macro($loc) && token_text($i + 1) eq '(';
	return $i;
}

# The arguments of the call whose name has index i, as [begin, end].
sub arguments {
	my ($i) = @_;
	my ($last, @args) = match($i + 1);
	my $from = $i + 2;
	for (my $k = $from; $k <= $last; $k++) {
		my $t = token_text($k);
		if ($t eq ',' || $k == $last) {
			push @args, [ $tokens[$from]{off}, $tokens[$k]{off} ]
				if $k > $from;
			$from = $k + 1;
		} elsif ($t =~ /^[(\[{]$/) {
			$k = match($k);
		}
	}
	return @args;
}

# --- statements ----------------------------------------------------------------------
sub bare {
	my ($e) = @_;
	$e = $e->{inner}[0]
		while $e->{kind} =~ /^(?:Paren|ImplicitCast|CStyleCast)Expr$/;
	return $e;
}

sub called_name {
	my ($e) = @_;
	my $callee = bare($e->{inner}[0]);
	return $callee->{name} // $callee->{referencedDecl}{name} // '?';
}

sub is_local {
	my ($lhs) = @_;
	return $lhs->{kind} eq 'DeclRefExpr' &&
		$fn{locals}{$lhs->{referencedDecl}{id}};
}

# begin, end (behind the semicolon), and what it is.
sub statement {
	my ($node) = @_;
	my ($first, $last) = ($at{offset($node->{range}{begin})},
		end_of($node->{range}{end}));
	my %s = (node => $node, begin => $tokens[$first]{off}, first => $first,
		class => 'other', name => '');
	if (is_macro($node->{range}{begin}) && token_text($first + 1) eq '(' &&
	    match($first + 1) == $last) {
		@s{qw(name at)} = (token_text($first), $first);
	} elsif (bare($node)->{kind} eq 'CallExpr') {
		my $call = bare($node);
		$s{name} = called_name($call);
		my $close = end_of($call->{range}{end});
		$s{at} = match($close) - 1;
	} elsif ($node->{kind} =~ /^(?:Binary|CompoundAssign)Operator$/ &&
		 $node->{opcode} =~ /(?<![=!<>])=$/) {
		my $lhs = bare($node->{inner}[0]);
		@s{qw(name class)} = (brief($s{begin}, $tokens[end_of(
			$node->{inner}[0]{range}{end})]{end}),
			is_local($lhs) ? 'local' : 'store');
	}
	$s{class} = class_of($s{name}) if defined $s{at};
	$s{class} = 'note' if $s{name} =~ $check &&
		text($tokens[$first + 1]{off} + 1, $tokens[$last]{off}) !~ /\w\s*\(/;
	$last++ if token_text($last + 1) eq ';';
	$s{end} = $tokens[$last]{end};
	$s{jump} = $node->{kind} =~ /^(?:Return|Goto|Indirect|Break|Continue)/;
	$s{fixed} = $node->{kind} =~ /^(?:Label|Case|Default)Stmt$/;
	$s{simple} = defined $s{at} || $s{class} =~ /^(?:store|local)$/;
	return \%s;
}

sub note_locals {
	my ($node) = @_;
	$fn{locals}{$node->{id}} = 1 if ($node->{kind} // '') =~ /^(?:Parm)?VarDecl$/
		&& ($node->{storageClass} // '') ne 'static';
	note_locals($_) for @{$node->{inner} // []};
}

# --- operators -------------------------------------------------------------------------
# place: [begin, end, what it is].  reach: edits that say that a run got there.
my $reached = 'heddle_assert_failed("reached")';
sub emit {
	my ($op, $what, $place, @edits) = @_;
	my ($b, $e, $kind) = @$place;
	my @reach = $kind eq 'expression' ?
		([ $b, $b, "($reached, " ], [ $e, $e, ')' ]) :
		$kind eq 'statement' ?
		([ $b, $b, "{ $reached; " ], [ $e, $e, '; }' ]) :
		[ $b, $b, "$reached; " ];
	push @out, { function => $fn{name}, op => $op, what => $what,
		line => line_of($b), place => $b, edits => [ @edits ],
		reach => \@reach };
}

sub expression { return [ @_, 'expression' ] }
sub whole { my ($s) = @_; return [ @$s{qw(begin end)}, 'statement' ] }

# Text that is left out leaves its line breaks behind.
sub blank {
	my ($b, $e, $instead) = @_;
	return [ $b, $e, ($instead // '') . "\n" x (text($b, $e) =~ tr/\n//) ];
}

sub leave_out {
	my ($s) = @_;
	my %op = (lock => 'no-lock', unlock => 'no-unlock', wait => 'no-wait',
		wakeup => 'no-wakeup', barrier => 'no-barrier',
		store => 'no-store', call => 'no-call');
	my $op = $op{$s->{class}} or return;
	emit($op, $s->{name}, whole($s), blank($s->{begin}, $s->{end}, ';'));
}

sub first_argument {
	my ($s) = @_;
	my ($arg) = defined $s->{at} ? arguments($s->{at}) : ();
	return $arg ? text(@$arg) =~ s/\s+//gr : '';
}

sub pairs {
	for my $l (grep { $_->{class} eq 'lock' } @{$fn{statements}}) {
		my @u = grep { $_->{class} eq 'unlock' &&
			first_argument($_) eq first_argument($l) } @{$fn{statements}};
		next unless @u;
		my %seen;
		emit('no-pair', join('/', grep { !$seen{$_}++ }
			map { $_->{name} } $l, @u), whole($l),
			map { blank($_->{begin}, $_->{end}, ';') } $l, @u);
	}
}

# Members of one object are given their first values.
sub set_up {
	my ($a, $b) = @_;
	my @inits = grep { $_->{name} =~ $init } $a, $b;
	return @inits == 2 || @inits &&
		!grep { $_->{class} !~ /^(?:store|local)$/ } grep {
		$_->{name} !~ $init } $a, $b;
}

# Notes go along with the unlock that they announce, or behind the lock that
# they follow; between two others they stay, and keep them apart.
sub exchange {
	my ($a, $b, @notes) = @_;
	return if $a->{jump} || $b->{jump} || $a->{fixed} || $b->{fixed};
	return if $a->{class} eq 'note';
	my $op = $b->{class} eq 'unlock' ? 'unlock-early' :
		$a->{class} eq 'lock' ? 'lock-late' : 'swap';
	return if $op eq 'swap' && (@notes || !$a->{simple} || !$b->{simple} ||
		(!defined $a->{at} && !defined $b->{at}) || set_up($a, $b));
	my @s = ($a, @notes, $b);
	my ($split, $n) = $op eq 'unlock-early' ? (1, $#s) : ($#s, $#s);
	my $head = text($s[0]{begin}, $s[$split - 1]{end});
	my $gap = text($s[$split - 1]{end}, $s[$split]{begin});
	my $tail = text($s[$split]{begin}, $s[$n]{end});
	my ($x, $y) = map { $_->{name} || 'the statement' } $a, $b;
	emit($op, $op eq 'unlock-early' ? $y : $op eq 'lock-late' ? $x : "$x, $y",
		[ @{$op eq 'unlock-early' ? $b : $a}{qw(begin end)}, 'in a block' ],
		[ $a->{begin}, $b->{end}, $tail . $gap . $head ]);
}

# What stands at depth 0 between two offsets of tokens.
sub depth0 {
	my ($i, $end, $like) = @_;
	my @found;
	for (; $i < $end; $i++) {
		push @found, $i if token_text($i) =~ $like;
		$i = match($i) if token_text($i) =~ /^[(\[{]$/;
	}
	return @found;
}

# A condition lies between the tokens i and end.
sub condition {
	my ($i, $end) = @_;
	if (token_text($i) =~ /^(?:un)?likely$/ && match($i + 1) == $end - 1) {
		return condition($i + 2, $end - 1);
	}
	if (token_text($i) eq '(' && match($i) == $end - 1) {
		return condition($i + 1, $end - 1);
	}
	return if depth0($i, $end, qr/^(?:\?|,|=)$/);
	my @cut = depth0($i, $end, qr/^\|\|$/);
	@cut = depth0($i, $end, qr/^&&$/) unless @cut;
	if (@cut) {
		my @bounds = ($i - 1, @cut, $end);
		for my $k (0 .. $#bounds - 1) {
			my ($b, $e) = @bounds[$k, $k + 1];
			term($tokens[$b + 1]{off}, $tokens[$e - 1]{end},
				$k < $#bounds - 1 ? ($tokens[$b + 1]{off},
				$tokens[$e]{end}) : ($tokens[$b]{off},
				$tokens[$e - 1]{end}));
			condition($b + 1, $e);
		}
		return;
	}
	edge($_, $i, $end) for depth0($i, $end, qr/^[<>]=?$/);
}

# Which form of a model a variant chooses is no step of the protocol: a condition
# of nothing else; nor is whether something fails, which is the schedule's.  A
# step that a variant can leave out is left out once.
my %chooses; # functions that only say so
my $left_out = qr/\b\w+_does\([^()]*\)/;
my $broken = qr/mm_form\(\)->(?:no_\w+|release_behind_test|early_\w+)/;

sub only_chooses {
	my ($text) = @_;
	$text =~ s/mm_form\(\)(?:->\w+)*|mm_has\([^()]*\)|$left_out//g;
	$text =~ s/\b(\w+)\(\)/$chooses{$1} ? '' : $1/ge;
	$text =~ s/\b(\w+)\b/$fn{chosen}{$1} ? '' : $1/ge;
	$text =~ s/\b(?:[A-Z][A-Z0-9_]*|likely|unlikely|true|false|\d+)\b//g;
	return $text !~ /\w/;
}

sub is_choice {
	my ($op, $b, $e) = @_;
	my $text = text($b, $e) =~ s/\s+//gr;
	return 1 if $text =~ /^!?heddle_fail\([^()]*\)$/;
	return $op ne 'never' if $text =~ /^(?:$left_out|!$broken)$/;
	return $op ne 'always' if $text =~ /^(?:!$left_out|$broken)$/;
	return says_form($text) && only_chooses($text);
}

sub says_form {
	my ($text) = @_;
	return $text =~ /mm_(?:form|has)\(|$left_out|\b\w+\(\)/ ||
		grep { $fn{chosen}{$_} } $text =~ /\b(\w+)\b/g;
}

# Locals that keep which form it is.
sub chosen_locals {
	my ($body) = @_;
	my %chosen;
	while ($body =~ /\bbool ((?:[^;()]|\([^()]*\))*);/g) {
		for (split /,\s*/, $1) {
			$chosen{$1} = 1 if /^(\w+) = (.*)$/s && says_form($2) &&
				only_chooses($2);
		}
	}
	return \%chosen;
}

sub note_choices {
	my @functions = @_;
	%chooses = ();
	for (1 .. 3) { # some call others
		for my $f (@functions) {
			my $r = $f->{body}{range};
			my $body = text(offset($r->{begin}),
				$tokens[end_of($r->{end})]{end}) =~ s{/\*.*?\*/}{}gsr;
			$chooses{$f->{name}} = 1
				if $body =~ /^\{\s*return\s+([^;]*);\s*\}$/ &&
				only_chooses($1) && $body =~ /\(\)/;
		}
	}
}

sub term {
	my ($b, $e, $from, $to) = @_;
	return if is_choice('no-term', $b, $e);
	emit('no-term', brief($b, $e), expression($b, $e), blank($from, $to));
}

sub edge {
	my ($i, $first, $end) = @_;
	my ($t, $b) = (token_text($i), $tokens[$i]{off});
	my $new = length $t == 1 ? "$t=" : substr $t, 0, 1;
	emit('edge', "$t is $new", expression($tokens[$first]{off},
		$tokens[$end - 1]{end}), [ $b, $b + length $t, $new ]);
}

sub brief {
	my ($b, $e) = @_;
	my $s = text($b, $e) =~ s/\s+/ /gr;
	return length $s > 40 ? substr($s, 0, 37) . '...' : $s;
}

# never and always: the condition between two tokens, both outside.
sub branch {
	my ($open, $close, $always) = @_;
	my ($b, $e) = ($tokens[$open]{end}, $tokens[$close]{off});
	my @as = (brief($b, $e), expression($b, $e), [ $b, $b, '(' ]);
	emit('never', @as, [ $e, $e, ') && 0' ])
		unless is_choice('never', $b, $e);
	emit('always', @as, [ $e, $e, ') || 1' ])
		if $always && !is_choice('always', $b, $e);
	condition($open + 1, $close);
}

sub only_notes {
	my ($node) = @_;
	return 1 unless $node;
	return !grep { !only_notes($_) } @{$node->{inner} // []}
		if $node->{kind} eq 'CompoundStmt';
	return statement($node)->{class} eq 'note';
}

# --- walking a function ----------------------------------------------------------------
sub block {
	my ($node) = @_;
	my @s = map { statement($_) } @{$node->{inner} // []};
	for my $i (0 .. $#s) {
		next if $s[$i]{class} eq 'note';
		my $j = $i + 1;
		$j++ while $j < @s && $s[$j]{class} eq 'note';
		exchange($s[$i], $s[$j], @s[$i + 1 .. $j - 1]) if $j < @s;
	}
	visit($_) for @{$node->{inner} // []};
}

sub visit_if {
	my ($node) = @_;
	my ($cond, $then, $else) = @{$node->{inner}};
	my $open = $at{offset($node->{range}{begin})} + 1;
	branch($open, match($open), 1)
		unless only_notes($then) && only_notes($else);
	visit_questions($cond);
	visit($_) for grep { $_ } $then, $else;
}

sub visit_loop {
	my ($node) = @_;
	my $kind = $node->{kind};
	my ($open, $close);
	if ($kind eq 'WhileStmt') {
		$open = $at{offset($node->{range}{begin})} + 1;
		$close = match($open);
	} elsif ($kind eq 'DoStmt') {
		$close = end_of($node->{range}{end});
		$open = match($close);
	}
	branch($open, $close, 0) if defined $open;
	visit($kind eq 'DoStmt' ? $node->{inner}[0] : $node->{inner}[-1]);
}

# Every a ? b : c of an expression that is written in the file.
sub visit_questions {
	my ($node) = @_;
	return if !$node->{kind} || is_macro($node->{range}{begin});
	if ($node->{kind} eq 'ConditionalOperator') {
		my $first = $at{offset($node->{range}{begin})};
		my ($q) = depth0($first, $first + 1000, qr/^\?$/);
		my ($b, $e) = ($tokens[$first]{off}, $tokens[$q - 1]{end});
		for ([ 'never', ') && 0)' ], [ 'always', ') || 1)' ]) {
			next if is_choice($_->[0], $b, $e);
			emit($_->[0], brief($b, $e), expression($b, $e), [ $b, $b, '((' ],
				[ $e, $e, $_->[1] ]);
		}
	}
	visit_questions($_) for @{$node->{inner} // []};
}

sub visit {
	my ($node) = @_;
	my $kind = $node->{kind} // return;
	return block($node) if $kind eq 'CompoundStmt';
	my $macro = is_macro($node->{range}{begin});
	return visit_if($node) if $kind eq 'IfStmt' && !$macro;
	return visit_loop($node) if $kind =~ /^(?:While|Do|For)Stmt$/ && !$macro;
	return visit($node->{inner}[-1])
		if $kind =~ /^(?:Label|Case|Default|Switch)Stmt$/;
	my $s = statement($node);
	push @{$fn{statements}}, $s;
	leave_out($s);
	visit_questions($node) if $s->{class} ne 'note';
	condition($s->{first} + 1, $at{$s->{end} - 1})
		if $kind eq 'ReturnStmt' && $node->{inner};
}

# --- operators on calls wherever they stand ------------------------------------------------
# Stores and calls of the RCU are statements, some of them by their macro.
sub call_place {
	my ($i) = @_;
	return [ $tokens[$i]{off}, $tokens[match($i + 1)]{end},
		token_text($i) =~ /_acquire$|READ_ONCE|_and_|_not_/ ?
		'expression' : 'statement' ];
}

sub rewrite {
	my ($op, $i, $new) = @_;
	my $p = call_place($i);
	emit($op, $tokens[$i]{text}, $p, blank(@$p[0, 1],
		$new =~ s/\s+/ /gr));
}

sub orders {
	my ($i, $name, @a) = @_;
	my %whole = (smp_load_acquire => 'READ_ONCE(*(%s))',
		smp_store_release => 'WRITE_ONCE(*(%s), %s)',
		rcu_assign_pointer => 'WRITE_ONCE(%s, %s)');
	if ($whole{$name}) {
		rewrite('relax', $i, sprintf $whole{$name}, @a);
	} elsif ($name =~ $ordered && $name =~ /^(.*)_(?:acquire|release)$/) {
		my $weak = $1;
		$weak .= "_relaxed" unless $name =~ /refcount|_set_|_read_/;
		rewrite('relax', $i, "$weak(" . join(', ', @a) . ')');
	} elsif ($name eq 'READ_ONCE' && @a == 1) {
		rewrite('unmark', $i, "($a[0])");
	} elsif ($name eq 'WRITE_ONCE' && @a == 2) {
		rewrite('unmark', $i, "(($a[0]) = ($a[1]))");
	}
}

sub frees {
	my ($i, $name, @a) = @_;
	rewrite('free-now', $i, "$a[1]($a[0])") if $name eq 'call_rcu';
	rewrite('free-now', $i, "$a[2]($a[1])") if $name eq 'call_srcu';
	rewrite('free-now', $i, "$1($a[0])") if $name =~ /^(kv?free)_rcu$/;
}

# spin_lock_irqsave(l, f) and its unlock, in one mutant.
sub interrupts {
	my @calls = @_;
	my $off = qr/^(\w*lock)_(?:irqsave|irqrestore|irq|bh)$/;
	for my $l (grep { $_->{name} =~ $off && $_->{name} !~ /unlock/ } @calls) {
		my @edits;
		for my $c (grep { $_->{name} =~ $off &&
				$_->{args}[0] eq $l->{args}[0] } @calls) {
			my ($plain) = $c->{name} =~ $off;
			push @edits, blank($tokens[$c->{at}]{off},
				$tokens[match($c->{at} + 1)]{end},
				"$plain($c->{args}[0])");
		}
		emit('no-irq-off', $l->{name}, call_place($l->{at}), @edits);
	}
}

sub calls {
	my ($i, $end) = @_;
	my @calls;
	for (; $i < $end; $i++) {
		next unless token_text($i) =~ /^[A-Za-z_]\w*$/ &&
			token_text($i + 1) eq '(';
		my $name = token_text($i);
		if ($name =~ $note) {
			$i = match($i + 1);
			next;
		}
		my @args = map { text(@$_) } arguments($i);
		push @calls, { name => $name, at => $i, args => \@args };
		orders($i, $name, @args);
		frees($i, $name, @args);
	}
	interrupts(@calls);
}

# --- the two entries -------------------------------------------------------------------------
# The functions of the file, their mutants in the order of the text, and where
# their bodies begin.
sub mutants {
	my ($file, @cc) = @_;
	open my $f, '<:raw', $file or die "$file: $!\n";
	$src = do { local $/; <$f> };
	@out = ();
	read_tokens($file, @cc);
	my (@names, %begin);
	my @functions = read_functions($file, @cc);
	note_choices(@functions);
	for my $d (@functions) {
		push @names, $d->{name};
		%fn = (name => $d->{name}, statements => [], locals => {});
		note_locals($d->{decl});
		next if $chooses{$d->{name}} || $d->{name} =~ $note;
		my $open = $at{offset($d->{body}{range}{begin})};
		$fn{chosen} = chosen_locals(text($tokens[$open]{off},
			$tokens[match($open)]{end}));
		visit($d->{body});
		pairs();
		calls($open, match($open));
		$begin{$d->{name}} = $tokens[$open]{end};
	}
	my @mutants = sort { $a->{place} <=> $b->{place} ||
		$rank{$a->{op}} <=> $rank{$b->{op}} || $a->{what} cmp $b->{what} } @out;
	return (\@names, \@mutants, \%begin);
}

# The text with replacements made; later ones first, so that offsets hold.
sub apply {
	my ($text, @edits) = @_;
	for my $i (sort { $edits[$b][0] <=> $edits[$a][0] || $b <=> $a }
			0 .. $#edits) {
		my ($b, $e, $new) = @{$edits[$i]};
		substr($text, $b, $e - $b) = $new;
	}
	return $text;
}

1;
