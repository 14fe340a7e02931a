package tidegate

import (
	"errors"
	"fmt"
	"time"
)

// Kind says what the host does about a failure.
type Kind uint8

// The kinds of failure, as the contract numbers them.
const (
	// KindRetryable: nothing of the call took effect; the host hands the same input over again, later.
	KindRetryable Kind = iota
	// KindUnknown: whether it took effect is not known; the host asks Status before anything else.
	KindUnknown
	// KindFenced: another writer has taken over; this instance must never write again.
	KindFenced
	// KindFatal: the changefeed stops in state failed and a person looks.
	KindFatal
	// KindUnsupported: this build of the plugin lacks what the input needs.
	KindUnsupported
)

// Failure says how a call failed as a whole. Any other error a plugin returns counts as fatal, with the code "error".
type Failure struct {
	Kind Kind
	// Code is a short name of the kind of failure, stable for this plugin; of fatal and unsupported failures only.
	Code    string
	Message string
	// AfterMS: not before this many milliseconds; 0: the host chooses.
	AfterMS uint32
	Attrs   []Attr
	cause   error
}

func (f *Failure) Error() string {
	switch f.Kind {
	case KindRetryable:
		return "retryable: " + f.Message
	case KindUnknown:
		return "outcome unknown: " + f.Message
	case KindFenced:
		return "fenced: " + f.Message
	case KindUnsupported:
		return fmt.Sprintf("unsupported (%s): %s", f.Code, f.Message)
	default:
		return fmt.Sprintf("fatal (%s): %s", f.Code, f.Message)
	}
}

// Unwrap is the error the failure was made of.
func (f *Failure) Unwrap() error { return f.cause }

// After asks the host to wait at least this long before it tries again.
func (f *Failure) After(wait time.Duration) *Failure {
	f.AfterMS = uint32(min(max(wait.Milliseconds(), 1), 1<<31))
	return f
}

// Retryable: nothing took effect; try again when the host sees fit.
func Retryable(err error) *Failure { return of(KindRetryable, "", err) }

// Unknown: the outcome is open.
func Unknown(err error) *Failure { return of(KindUnknown, "", err) }

// Fenced: another writer holds the slot.
func Fenced(err error) *Failure { return of(KindFenced, "", err) }

// Fatal: never again without a person.
func Fatal(code string, err error) *Failure { return of(KindFatal, code, err) }

// Unsupported: not in this build.
func Unsupported(code string, err error) *Failure { return of(KindUnsupported, code, err) }

func of(kind Kind, code string, err error) *Failure {
	return &Failure{Kind: kind, Code: code, Message: err.Error(), cause: err}
}

// AsFailure is the failure that an error stands for, with the texts that were wrapped around it.
func AsFailure(err error) *Failure {
	var failure *Failure
	if !errors.As(err, &failure) {
		return Fatal("error", err)
	}
	if err == error(failure) {
		return failure
	}
	wrapped := *failure
	wrapped.Message, wrapped.cause = err.Error(), err
	return &wrapped
}
