package invoke

import "slices"

// SnapStart says whether a version's environments are restored from a snapshot
// (AWS API reference: SnapStartResponse). Status is On for a published version
// whose snapshot was taken; $LATEST is never restored.
type SnapStart struct{ ApplyOn, OptimizationStatus string }

// The values of SnapStart.ApplyOn.
const (
	snapNever     = "None"
	snapPublished = "PublishedVersions"
)

func (x SnapStart) check() *serviceError {
	if x.ApplyOn != snapNever && x.ApplyOn != snapPublished {
		return unfit("snapStart.applyOn", x.ApplyOn, snapPublished+"|"+snapNever)
	}
	return nil
}

// release lets a version that was published be invoked: at once, or, with
// SnapStart, when its snapshot was taken, up to which it is Pending. A version that
// failed is tried again. It returns the version as it was before. The caller holds
// the lock.
func (s *Service) release(f *function, v *version) Configuration {
	if v.deployment != nil || v.busy {
		return v.config
	}
	v.config.pend()
	before := v.config
	if v.config.SnapStart.ApplyOn != snapPublished {
		s.activate(v)
		return before
	}
	v.busy = true
	img, c := v.image, s.live(v)
	s.tasks.Go(func() {
		taken, err := s.config.Deployer.Snapshot(s.ctx, img, c)
		s.mu.Lock()
		defer s.mu.Unlock()
		v.busy = false
		switch {
		case s.closed || s.functions[f.name] != f || !slices.Contains(f.versions, v): // deleted meanwhile
		case err != nil:
			v.config.fail(codeFunction, err)
		default:
			v.image, v.restored, v.config.SnapStart.OptimizationStatus = taken, true, "On"
			s.activate(v)
		}
	})
	return before
}
